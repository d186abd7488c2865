/** A fact that replicas tell each other and of which only the newest counts: a cooldown, a disabled credential. */
export interface Register {
  /** Raised by the writer with each change; after `MAX_EPOCH` comes 0. */
  readonly epoch: number;
  readonly value: number;
  readonly replicaId: string;
}

export const MAX_EPOCH = 2 ** 32 - 1;

/** The epoch of a writing that shall be newer. */
export function followEpoch(epoch: number): number {
  return (epoch + 1) >>> 0;
}

/**
 * The newer of two registers: the later epoch, then the higher value, then the
 * replica id that sorts last. Epochs are compared as serial numbers (RFC 1982), so that there is
 * one after each and nobody can write last for ever. A join, commutative, associative and
 * idempotent, of epochs that lie within 2^31 of each other.
 */
export function joinRegisters(left: Register, right: Register): Register {
  if (left.epoch !== right.epoch) return isLater(left.epoch, right.epoch) ? left : right;
  if (left.value !== right.value) return left.value > right.value ? left : right;
  return left.replicaId >= right.replicaId ? left : right;
}

function isLater(left: number, right: number): boolean {
  const distance = (left - right) | 0;
  // Half way round neither is later by that rule: any other that is the same for everybody will do.
  return distance === -(2 ** 31) ? left > right : distance > 0;
}
