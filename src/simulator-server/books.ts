import type { DialectName } from "./dialect.ts";

/** How a request ended. `cancelled`: the client left first; `hang`: it left a request that got no answer. */
export type BookedOutcome = "whole" | "cut" | "error" | "reset" | "hang" | "cancelled";

/** What was served to one request. */
export interface BookEntry {
  /** From 1, in the order of arrival. */
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly arrivedWallMs: number;
  readonly dialect: DialectName;
  /** As it was asked for; empty when the request could not be read. */
  readonly model: string;
  readonly isStream: boolean;
  /** The HTTP status that was sent; undefined when none was. */
  status: number | undefined;
  /** Undefined while the request is open. */
  outcome: BookedOutcome | undefined;
  /** The fault it was given, or why it was refused. */
  fault: string | undefined;
  /** Of the prompt; billed, so 0 for errors. */
  inputTokens: number;
  /** Those that were written, whether or not anyone read them. */
  outputTokens: number;
  /** What those tokens cost by the simulation's price. */
  costNanoUsd: number;
  timeToFirstTokenMs: number | undefined;
  totalMs: number | undefined;
  /** The client's `x-request-id`, cut to 128 plain characters. */
  readonly clientRequestId: string | undefined;
}

/** Sums over many requests. */
export interface BookTotals {
  requestCount: number;
  openCount: number;
  readonly outcomeCounts: Record<BookedOutcome, number>;
  inputTokens: number;
  outputTokens: number;
  costNanoUsd: number;
}

/** Totals cover all; of single requests only the last ones are kept. */
const MAX_ENTRY_COUNT = 100_000;
const MAX_MODEL_COUNT = 1_000;
const OTHER_MODELS = "(others)";

/** What the server served: a truth that does not come from whoever asked. */
export class Books {
  #entries: BookEntry[] = [];
  #lastNumber = 0;
  #totals = emptyTotals();
  #byModel = new Map<string, BookTotals>();
  /** The sums each open entry was counted in, so that closing it after a `clear` changes no new sum. */
  readonly #sumsOfOpen = new Map<BookEntry, readonly BookTotals[]>();

  /** Opens the entry of a request that has just arrived. */
  open(
    facts: Pick<BookEntry, "arrivedWallMs" | "dialect" | "model" | "isStream" | "clientRequestId">,
  ): BookEntry {
    this.#lastNumber += 1;
    const entry: BookEntry = {
      ...facts,
      number: this.#lastNumber,
      status: undefined,
      outcome: undefined,
      fault: undefined,
      inputTokens: 0,
      outputTokens: 0,
      costNanoUsd: 0,
      timeToFirstTokenMs: undefined,
      totalMs: undefined,
    };
    this.#entries.push(entry);
    // Now and then, so that forgetting costs little each time.
    if (this.#entries.length > 2 * MAX_ENTRY_COUNT) this.#entries = this.#entries.slice(-MAX_ENTRY_COUNT);
    const sums = [this.#totals, this.#totalsOfModel(entry.model)];
    this.#sumsOfOpen.set(entry, sums);
    for (const totals of sums) {
      totals.requestCount += 1;
      totals.openCount += 1;
    }
    return entry;
  }

  /** Closes an entry; only the first close counts. */
  close(entry: BookEntry, outcome: BookedOutcome, totalMs: number): void {
    if (entry.outcome !== undefined) return;
    entry.outcome = outcome;
    entry.totalMs = totalMs;
    const sums = this.#sumsOfOpen.get(entry) ?? [];
    this.#sumsOfOpen.delete(entry);
    for (const totals of sums) {
      totals.openCount -= 1;
      totals.outcomeCounts[outcome] += 1;
      totals.inputTokens += entry.inputTokens;
      totals.outputTokens += entry.outputTokens;
      totals.costNanoUsd += entry.costNanoUsd;
    }
  }

  /** The totals, and the requests with a number above `after`, at most `limit` of them. */
  read(after: number, limit: number) {
    return {
      simulated: true,
      totals: this.#totals,
      models: Object.fromEntries(this.#byModel),
      requests: this.#entries.filter(({ number }) => number > after).slice(0, limit),
    };
  }

  /** Forgets everything; numbers go on. Requests that are open now are in no later book. */
  clear(): void {
    this.#entries = [];
    this.#totals = emptyTotals();
    this.#byModel = new Map();
  }

  #totalsOfModel(model: string): BookTotals {
    const isRoom = this.#byModel.has(model) || this.#byModel.size < MAX_MODEL_COUNT;
    const name = isRoom ? model : OTHER_MODELS;
    const known = this.#byModel.get(name) ?? emptyTotals();
    this.#byModel.set(name, known);
    return known;
  }
}

function emptyTotals(): BookTotals {
  return {
    requestCount: 0,
    openCount: 0,
    outcomeCounts: { whole: 0, cut: 0, error: 0, reset: 0, hang: 0, cancelled: 0 },
    inputTokens: 0,
    outputTokens: 0,
    costNanoUsd: 0,
  };
}
