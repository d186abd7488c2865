import {
  learnOverflow,
  learnRatio,
  NO_CORRECTION,
  type TokenCorrection,
} from "../../core/token-correction.ts";
import type { AttemptRecord } from "../../domain/attempt.ts";

/** How one upstream model counts tokens; all its deployments share it. */
export class TokenState {
  #correction: TokenCorrection = NO_CORRECTION;

  /** Counted tokens for each estimated one. */
  get ratio(): number {
    return this.#correction.ratio;
  }

  /** Learns from an ended attempt whose prompt was estimated to have so many tokens. */
  learn({ outcome, usage }: AttemptRecord, estimatedTokens: number, windowTokens: number): void {
    if (outcome === "context_length_exceeded") {
      this.#correction = learnOverflow(this.#correction, estimatedTokens, windowTokens);
    } else if (usage?.inputTokens !== undefined) {
      this.#correction = learnRatio(this.#correction, estimatedTokens, usage.inputTokens);
    }
  }
}
