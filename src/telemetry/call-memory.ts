import type { AttemptRecord } from "../domain/attempt.ts";
import {
  type CallHistory,
  type CallQuery,
  type CallRecord,
  MAX_KEPT_CALLS,
  type UsageOfDay,
  type UsageQuery,
} from "../domain/call-history.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { Clock } from "../domain/ports.ts";
import type { Usage } from "../domain/usage.ts";

const MAX_DAYS = 366;
const DAY_MS = 86_400_000;
const DAY_CHARACTERS = "2026-11-21".length;

type Sums = { -readonly [K in keyof UsageOfDay]: UsageOfDay[K] };

/** Remembers the last calls, and what each deployment was used for on each day, in bounded memory. */
export class CallMemory implements CallHistory {
  readonly #clock: Clock;
  readonly sinceWallMs: number;
  /** A ring: the oldest is at `callCount % MAX_KEPT_CALLS` once it is full. */
  readonly #calls: CallRecord[] = [];
  #callCount = 0;
  /** In the order of their first call. */
  readonly #days = new Map<string, Map<string, Sums>>();
  #today = "";
  #todayEndsWallMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.sinceWallMs = clock.wallMs();
  }

  /** Takes an ended call down. */
  record(attempt: AttemptRecord, requestId: string): void {
    const endedWallMs = this.#clock.wallMs();
    this.#calls[this.#callCount % MAX_KEPT_CALLS] = { endedWallMs, requestId, attempt };
    this.#callCount += 1;
    const sums = this.#sumsOf(attempt.deployment, endedWallMs);
    sums.callCount += 1;
    if (attempt.usage !== undefined) sums.usage = addUsage(sums.usage, attempt.usage);
    if (attempt.outcome === "success") {
      sums.succeededCount += 1;
      sums.succeededMs += attempt.totalMs;
    } else if (isFailed(attempt)) sums.failedCount += 1;
    else sums.abandonedCount += 1;
  }

  listCalls({ model, requestId, failedOnly, limit }: CallQuery): readonly CallRecord[] {
    const found: CallRecord[] = [];
    const oldest = Math.max(this.#callCount - MAX_KEPT_CALLS, 0);
    for (let number = this.#callCount - 1; number >= oldest && found.length < limit; number--) {
      const call = this.#calls[number % MAX_KEPT_CALLS];
      if (call === undefined) continue;
      if (model !== undefined && call.attempt.deployment.model !== model) continue;
      if (requestId !== undefined && call.requestId !== requestId) continue;
      if (failedOnly && !isFailed(call.attempt)) continue;
      found.push(call);
    }
    return found;
  }

  reportUsage({ firstDay = "", lastDay = "9999-12-31", model }: UsageQuery): readonly UsageOfDay[] {
    return [...this.#days]
      .filter(([day]) => day >= firstDay && day <= lastDay)
      .toSorted(([a], [b]) => compare(a, b))
      .flatMap(([, sums]) => [...sums.values()].toSorted((a, b) => compare(a.deployment.id, b.deployment.id)))
      .filter(({ deployment }) => model === undefined || deployment.model === model)
      .map((sums) => ({ ...sums }));
  }

  #sumsOf(deployment: Deployment, wallMs: number): Sums {
    const day = this.#dayOf(wallMs);
    let ofDay = this.#days.get(day);
    if (ofDay === undefined) {
      ofDay = new Map();
      this.#days.set(day, ofDay);
      const [first] = this.#days.keys();
      if (this.#days.size > MAX_DAYS && first !== undefined) this.#days.delete(first);
    }
    let sums = ofDay.get(deployment.id);
    if (sums === undefined) {
      const counts = { callCount: 0, succeededCount: 0, failedCount: 0, abandonedCount: 0 };
      sums = { day, deployment, ...counts, usage: {}, succeededMs: 0 };
      ofDay.set(deployment.id, sums);
    }
    return sums;
  }

  /** Writing a date costs more than a comparison, and it changes once a day. */
  #dayOf(wallMs: number): string {
    if (wallMs < this.#todayEndsWallMs && wallMs >= this.#todayEndsWallMs - DAY_MS) return this.#today;
    this.#todayEndsWallMs = (Math.floor(wallMs / DAY_MS) + 1) * DAY_MS;
    this.#today = new Date(wallMs).toISOString().slice(0, DAY_CHARACTERS);
    return this.#today;
  }
}

function isFailed({ outcome }: AttemptRecord): boolean {
  return outcome !== "success" && outcome !== "cancelled" && outcome !== "superseded" && outcome !== "local";
}

function addUsage(sum: Usage, more: Usage): Usage {
  const added: { -readonly [K in keyof Usage]: Usage[K] } = { ...sum };
  for (const [key, value] of Object.entries(more) as [keyof Usage, number][]) {
    added[key] = (added[key] ?? 0) + value;
  }
  return added;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
