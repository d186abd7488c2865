/** A steady stream of requests, and what became of them. */

import { create } from "@bufbuild/protobuf";
import { GenerationSpecSchema, Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { RouterService, StreamGenerateRequestSchema } from "../../../gen/sluice/v1/router_service_pb.ts";
import type { Cleanup, Clock } from "../../domain/ports.ts";
import type { CallLimits, RpcClient } from "../rpc-client.ts";

const REQUEST = create(StreamGenerateRequestSchema, {
  spec: create(GenerationSpecSchema, {
    messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: "Tell me something." } }] }],
  }),
});

/** Sends requests at a fixed rate, whether or not the earlier ones have ended. */
export class DemoTraffic {
  readonly #client: RpcClient;
  readonly #limits: CallLimits;
  readonly #clock: Clock;
  readonly #underWay = new Set<Promise<void>>();
  #stopTimer: Cleanup | undefined;
  #sentCount = 0;
  #answeredCount = 0;
  #firstFailure: string | undefined;

  constructor(client: RpcClient, limits: CallLimits, clock: Clock) {
    this.#client = client;
    this.#limits = limits;
    this.#clock = clock;
  }

  get sentCount(): number {
    return this.#sentCount;
  }

  /** Answered whole: with the closing event. */
  get answeredCount(): number {
    return this.#answeredCount;
  }

  /** Ended and not answered whole. */
  get failedCount(): number {
    return this.#sentCount - this.#underWay.size - this.#answeredCount;
  }

  /** What the first failed request was told. */
  get firstFailure(): string | undefined {
    return this.#firstFailure;
  }

  /** Begins to send, one request each `intervalMs`. */
  start(intervalMs: number): void {
    const beginMs = this.#clock.nowMs();
    const next = (): void => {
      const request = this.#send().finally(() => this.#underWay.delete(request));
      this.#underWay.add(request);
      const dueMs = beginMs + this.#sentCount * intervalMs;
      this.#stopTimer = this.#clock.timer(Math.max(dueMs - this.#clock.nowMs(), 0), next);
    };
    next();
  }

  /** Sends no more, and resolves when every request has ended. */
  async finish(): Promise<void> {
    this.#stopTimer?.();
    await Promise.all(this.#underWay);
  }

  async #send(): Promise<void> {
    this.#sentCount += 1;
    let isWhole = false;
    const method = RouterService.method.streamGenerate;
    const result = await this.#client.stream(method, REQUEST, this.#limits, async ({ event }) => {
      if (event.case === "finished") isWhole = true;
    });
    if (result.ok && isWhole) this.#answeredCount += 1;
    else this.#firstFailure ??= result.ok ? "no closing event" : result.failure.message;
  }
}
