/** A fact that replicas tell each other and of which only the newest counts: a cooldown, a disabled credential. */
export interface Register {
  /** Raised by the writer with each change. */
  readonly epoch: number;
  readonly value: number;
  readonly replicaId: string;
}

/**
 * The newer of two registers: the higher epoch, then the higher value, then the
 * replica id that sorts last. A join: commutative, associative, idempotent.
 */
export function joinRegisters(left: Register, right: Register): Register {
  if (left.epoch !== right.epoch) return left.epoch > right.epoch ? left : right;
  if (left.value !== right.value) return left.value > right.value ? left : right;
  return left.replicaId >= right.replicaId ? left : right;
}
