import type { QuotaHeaders } from "../../domain/quota.ts";
import type { Register } from "./register.ts";

/** A register that runs out, as it is at sending. */
export interface TimedRegister {
  readonly register: Register;
  /** What is left of it; 0 when it ran out or was taken back. */
  readonly remainingMs: number;
}

/** What a provider's headers said, as it is at sending. */
export interface QuotaHeadersRegister {
  readonly register: Register;
  readonly ageMs: number;
  readonly headers: QuotaHeaders;
}

/** Of one deployment. */
export interface DeploymentRegisters {
  readonly cooldown?: TimedRegister;
  readonly quota?: QuotaHeadersRegister;
}

/** Of one provider: until when its credential counts as refused. */
export interface CredentialRegister {
  readonly provider: string;
  readonly disabled: TimedRegister;
}
