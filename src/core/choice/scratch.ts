import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceReason } from "./decision.ts";
import { NOT_CHECKED } from "./hard-filters.ts";

/** Memory that a chooser uses for every decision again, so that deciding leaves no garbage behind. */
export class Scratch {
  /** By slot: the filter's number, `PASSED`, or `NOT_CHECKED` for a tier that was not reached. */
  codes = new Int8Array(0);
  /** By slot: the drawn success ratio; NaN where none was drawn. */
  successRatios = new Float64Array(0);
  /** By place in `usable`. */
  utilities = new Float64Array(0);
  /** By place in `usable`: the candidate's slot. */
  slots = new Int32Array(0);
  /** By place in `usable`: whether it is among the nearly best. */
  near = new Int32Array(0);
  readonly usable: CandidateView[] = [];
  usableCount = 0;
  /** Why the last pick was made. */
  reason: ChoiceReason = "best";
  readonly #offsets: number[] = [];

  /** Begins a decision. */
  reset(views: readonly (readonly CandidateView[])[]): void {
    let count = 0;
    for (let index = 0; index < views.length; index++) {
      this.#offsets[index] = count;
      count += views[index]?.length ?? 0;
    }
    if (count > this.codes.length) this.#grow(count);
    this.codes.fill(NOT_CHECKED, 0, count);
    this.successRatios.fill(Number.NaN, 0, count);
    this.usableCount = 0;
  }

  /** The slot of a tier's first candidate. */
  offsetOf(tierIndex: number): number {
    return this.#offsets[tierIndex] ?? 0;
  }

  addUsable(view: CandidateView, slot: number): void {
    this.slots[this.usableCount] = slot;
    this.usable[this.usableCount] = view;
    this.usableCount += 1;
  }

  /** The usable candidates as an array of exactly that length. Good until the next tier is filtered. */
  listUsable(): readonly CandidateView[] {
    this.usable.length = this.usableCount;
    return this.usable;
  }

  #grow(count: number): void {
    this.codes = new Int8Array(count);
    this.successRatios = new Float64Array(count);
    this.utilities = new Float64Array(count);
    this.slots = new Int32Array(count);
    this.near = new Int32Array(count);
  }
}
