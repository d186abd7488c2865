import { followEpoch, joinRegisters, MAX_EPOCH, type Register } from "./register.ts";

/** A register as it travels, with what it stands for. */
export interface RegisterValue<T> {
  readonly register: Register;
  readonly content: T;
}

/** One fact that all replicas share: the newest writing wins, everywhere the same. */
export class SharedRegister<T> {
  readonly #replicaId: string;
  #held: RegisterValue<T> | undefined;

  constructor(replicaId: string) {
    this.#replicaId = replicaId;
  }

  /** The newest writing; undefined when there is none. */
  get held(): RegisterValue<T> | undefined {
    return this.#held;
  }

  /** Writes something newer than all that is known. `value` decides against others who write at the same time. */
  write(value: number, content: T): void {
    const epoch = followEpoch(this.#held?.register.epoch ?? 0);
    this.#held = { register: { epoch, value, replicaId: this.#replicaId }, content };
  }

  /** Takes over another replica's writing when it is newer; says whether it was. */
  join(remote: Register, readContent: () => T): boolean {
    const held = this.#held?.register;
    if (remote.epoch > MAX_EPOCH) return false;
    if (held !== undefined) {
      const same =
        held.epoch === remote.epoch && held.value === remote.value && held.replicaId === remote.replicaId;
      if (same || joinRegisters(held, remote) === held) return false;
    }
    this.#held = { register: remote, content: readContent() };
    return true;
  }
}
