import type { Provider, ProviderAttempt, ProviderCall, ProviderSink } from "../../src/domain/ports.ts";
import type { SimRequest } from "../world/workload.ts";
import type { WorldView } from "../world/world.ts";

/** One provider of the world, spoken to through the router's own port. */
export class WorldProvider implements Provider {
  readonly name: string;
  readonly simulated = true;
  readonly #world: WorldView;
  readonly #endpoints: ReadonlyMap<string, number>;
  readonly #findRequest: (call: ProviderCall) => SimRequest;
  readonly #onCall: (endpoint: number, request: SimRequest, end: CallEndListener) => void;

  constructor(
    name: string,
    world: WorldView,
    findRequest: (call: ProviderCall) => SimRequest,
    onCall: (endpoint: number, request: SimRequest, end: CallEndListener) => void,
  ) {
    this.name = name;
    this.#world = world;
    this.#endpoints = new Map(world.endpoints.map(({ id }, index) => [id, index]));
    this.#findRequest = findRequest;
    this.#onCall = onCall;
  }

  start(call: ProviderCall, sink: ProviderSink): ProviderAttempt {
    const request = this.#findRequest(call);
    const endpoint = this.#endpoints.get(call.deployment.id) ?? -1;
    const ended: CallEndListener = { fn: undefined };
    this.#onCall(endpoint, request, ended);
    const running = this.#world.call(endpoint, request, {
      onFirstToken: () => sink.onEvents(FIRST_DELTA),
      onEnd(failure, outputTokens) {
        ended.fn?.(failure?.retryAfterMs, failure === undefined ? outputTokens : undefined);
        if (failure !== undefined) return sink.onEnd({ kind: "failed", failure });
        sink.onEvents([{ kind: "usage", usage: { inputTokens: request.promptTokens, outputTokens } }]);
        sink.onEnd(COMPLETED);
      },
    });
    return {
      pause() {},
      resume() {},
      abort() {
        ended.fn?.(undefined, undefined);
        running.abort();
      },
    };
  }

  async close(): Promise<void> {}
}

/** Filled in by whoever wants to know when a call is over. */
export interface CallEndListener {
  /** `outputTokens` is undefined for what is no whole answer. */
  fn: ((retryAfterMs: number | undefined, outputTokens: number | undefined) => void) | undefined;
}

const FIRST_DELTA = [{ kind: "text_delta", text: "." }] as const;
const COMPLETED = {
  kind: "completed",
  finishReason: "stop",
  rawFinishReason: "stop",
  responseModel: "",
} as const;
