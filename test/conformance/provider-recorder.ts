import type { GenerationEvent } from "../../src/domain/event.ts";
import type { ProviderFailure } from "../../src/domain/outcome.ts";
import type {
  Provider,
  ProviderAttempt,
  ProviderCall,
  ProviderEnd,
  ProviderSink,
} from "../../src/domain/ports.ts";
import type { QuotaHeaders } from "../../src/domain/quota.ts";

/** A sink that keeps what it hears and checks the order of the calls. */
export class ProviderRecorder implements ProviderSink {
  readonly batches: (readonly GenerationEvent[])[] = [];
  readonly ends: ProviderEnd[] = [];
  readonly quotas: QuotaHeaders[] = [];
  /** Broken promises of the port, in words. */
  readonly faults: string[] = [];
  activityCount = 0;
  /** Called for each batch, from inside `onEvents`. */
  onBatch: () => void = () => {};
  #isInside = false;
  #isStarting = false;

  /** Starts an attempt that tells this recorder. */
  start(provider: Provider, call: ProviderCall): ProviderAttempt {
    this.#isStarting = true;
    const attempt = provider.start(call, this);
    this.#isStarting = false;
    return attempt;
  }

  onActivity(): void {
    this.#guard("onActivity", () => {
      this.activityCount += 1;
    });
  }

  onQuota(headers: QuotaHeaders): void {
    this.#guard("onQuota", () => {
      if (this.quotas.length > 0 || this.batches.length > 0) this.faults.push("onQuota twice or late");
      this.quotas.push(headers);
    });
  }

  onEvents(batch: readonly GenerationEvent[]): void {
    this.#guard("onEvents", () => {
      if (batch.length === 0) this.faults.push("an empty batch");
      this.batches.push(batch);
      this.onBatch();
    });
  }

  onEnd(end: ProviderEnd): void {
    this.#guard("onEnd", () => this.ends.push(end));
  }

  get events(): readonly GenerationEvent[] {
    return this.batches.flat();
  }

  get text(): string {
    return this.events.map((event) => (event.kind === "text_delta" ? event.text : "")).join("");
  }

  get reasoning(): string {
    return this.events.map((event) => (event.kind === "reasoning_delta" ? event.text : "")).join("");
  }

  get end(): ProviderEnd | undefined {
    return this.ends[0];
  }

  get failure(): ProviderFailure | undefined {
    return this.end?.kind === "failed" ? this.end.failure : undefined;
  }

  #guard(method: string, body: () => void): void {
    if (this.#isStarting) this.faults.push(`${method} from inside start`);
    if (this.#isInside) this.faults.push(`${method} from inside another call`);
    if (this.ends.length > 0) this.faults.push(`${method} after onEnd`);
    this.#isInside = true;
    body();
    this.#isInside = false;
  }
}

/** A tool call put together from its pieces. */
export interface RecordedToolCall {
  readonly callId: string;
  readonly name: string;
  readonly arguments: string;
  /** Whether its pieces kept the promises of `GenerationEvent`. */
  readonly isWellFormed: boolean;
}

/** Puts tool calls together, in the order in which they began. */
export function collectToolCalls(events: readonly GenerationEvent[]): RecordedToolCall[] {
  const calls = new Map<string, { name: string; arguments: string; lastCount: number; faultCount: number }>();
  for (const event of events) {
    if (event.kind !== "tool_call_delta") continue;
    const known = calls.get(event.callId);
    const call = known ?? {
      name: event.name,
      arguments: "",
      lastCount: 0,
      faultCount: event.name === "" ? 1 : 0,
    };
    if (known && (event.name !== "" || known.lastCount > 0)) call.faultCount += 1;
    call.arguments += event.argumentsDelta;
    if (event.last) call.lastCount += 1;
    calls.set(event.callId, call);
  }
  return Array.from(calls, ([callId, call]) => ({
    callId,
    name: call.name,
    arguments: call.arguments,
    isWellFormed: call.lastCount === 1 && call.faultCount === 0,
  }));
}
