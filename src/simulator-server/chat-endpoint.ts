import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Clock, Random } from "../domain/ports.ts";
import { ModelQuotas } from "../providers/simulator/model-quotas.ts";
import type { BookEntry, Books } from "./books.ts";
import { playAnswer } from "./chat-answer.ts";
import { type Fate, FateChooser } from "./choose-fate.ts";
import type { Ask, Dialect, ErrorKind } from "./dialect.ts";
import { planChat } from "./plan-chat.ts";
import { readBody } from "./read-body.ts";
import type { SimulationSettings } from "./simulation-settings.ts";

/** On every answer: nobody shall take made-up text for a model's. The OpenAI door uses the same. */
export const SIMULATION_HEADERS = { "x-sluice-simulated": "true", server: "sluice-simulate" } as const;

const SECOND_MS = 1_000;
const ID_LENGTH = 16;
/** Told when the fault, not the quota, limits the rate. */
const FAULT_RETRY_AFTER_MS = SECOND_MS;

/** One request on its way. */
interface Exchange {
  readonly dialect: Dialect;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly arrivedMs: number;
  readonly id: string;
}

/** Answers chat requests of all dialects by one set of settings. */
export class ChatEndpoint {
  readonly #settings: SimulationSettings;
  readonly #clock: Clock;
  readonly #books: Books;
  readonly #fates: FateChooser;
  readonly #quotas: ModelQuotas;
  #requestCount = 0;

  constructor(settings: SimulationSettings, ports: { clock: Clock; random: Random }, books: Books) {
    this.#settings = settings;
    this.#clock = ports.clock;
    this.#books = books;
    this.#fates = new FateChooser(settings, ports.clock, ports.random);
    this.#quotas = new ModelQuotas(settings.quota, ports.clock);
  }

  /** Resolves when the answer is under way; rejects when the client left before its request was read. */
  async serve(dialect: Dialect, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requestCount += 1;
    const id = String(this.#requestCount).padStart(ID_LENGTH, "0");
    const exchange = { dialect, request, response, arrivedMs: this.#clock.nowMs(), id };
    const body = await readBody(request);
    const read = body.ok ? dialect.read(body.value) : body;
    const entry = this.#openEntry(exchange, "ask" in read ? read.ask : undefined);
    if (!this.#isKeyRight(request)) {
      return this.#refuse(exchange, entry, "auth", "the key is missing or not the one of the simulation");
    }
    if (!("ask" in read)) {
      return this.#refuse(exchange, entry, "invalid_request", "message" in read ? read.message : "");
    }
    const { ask } = read;
    const { models } = this.#settings;
    if (models !== undefined && !models.includes(ask.model)) {
      return this.#refuse(
        exchange,
        entry,
        "model_unavailable",
        `the simulation has only ${models.join(", ")}`,
      );
    }
    this.#answer(exchange, entry, ask, this.#fates.choose(ask.model));
  }

  #answer(exchange: Exchange, entry: BookEntry, ask: Ask, fate: Fate): void {
    const { dialect, response, arrivedMs, id } = exchange;
    const { fault } = fate;
    entry.fault = fault;
    if (fault === "reset") {
      this.#books.close(entry, "reset", this.#elapsedMs(exchange));
      response.socket?.destroy();
      return;
    }
    if (fault !== undefined && fault !== "hang" && fault !== "cut") {
      const waitMs = fault === "rate_limit" ? FAULT_RETRY_AFTER_MS : undefined;
      return this.#refuse(exchange, entry, fault, `a simulated fault: ${fault}`, waitMs);
    }
    const chat = planChat(ask, id, fate.outputTokens, this.#settings.callsTools);
    const waitMs = this.#quotas.admit(ask.model, chat.inputTokens + chat.answer.events.length);
    if (waitMs > 0) {
      entry.fault = "rate_limit";
      const message = `the simulated limit per minute of ${ask.model} is reached`;
      return this.#refuse(exchange, entry, "rate_limit", message, waitMs);
    }
    const headers = this.#writeHeaders(exchange, ask.model);
    const ports = { clock: this.#clock, books: this.#books, price: this.#settings.price };
    playAnswer({ dialect, ask, fate, chat, id, headers, response, entry, arrivedMs, ...ports });
  }

  #refuse(exchange: Exchange, entry: BookEntry, kind: ErrorKind, message: string, waitMs?: number): void {
    const { dialect, response, id } = exchange;
    const { status, body } = dialect.writeError(kind, `[simulation] ${message}`, id);
    const isTold = waitMs !== undefined && dialect.hasRetryAfter;
    entry.status = status;
    entry.fault ??= kind;
    response.on("close", () => {
      this.#books.close(entry, response.writableFinished ? "error" : "cancelled", this.#elapsedMs(exchange));
    });
    response.writeHead(status, {
      ...this.#writeHeaders(exchange, entry.model),
      "content-type": "application/json",
      ...(isTold ? { "retry-after": String(Math.ceil(waitMs / SECOND_MS)) } : {}),
      // What of the body is still to come is not read.
      ...(exchange.request.complete ? {} : { connection: "close" }),
    });
    response.end(JSON.stringify(body));
  }

  #writeHeaders({ dialect, id }: Exchange, model: string): OutgoingHttpHeaders {
    const { requestIdHeader } = dialect;
    return {
      ...SIMULATION_HEADERS,
      ...dialect.writeQuota(this.#quotas.stateOf(model), this.#clock.wallMs()),
      ...(requestIdHeader === undefined ? {} : { [requestIdHeader]: `req_${id}` }),
    };
  }

  #openEntry({ dialect, request }: Exchange, ask: Ask | undefined): BookEntry {
    const told = request.headers["x-request-id"];
    return this.#books.open({
      arrivedWallMs: this.#clock.wallMs(),
      dialect: dialect.name,
      model: ask?.model.slice(0, 256) ?? "",
      isStream: ask?.isStream ?? false,
      clientRequestId: typeof told === "string" ? told.replace(/[^\x21-\x7e]/g, "").slice(0, 128) : undefined,
    });
  }

  #isKeyRight({ headers }: IncomingMessage): boolean {
    const { apiKey } = this.#settings;
    if (apiKey === undefined) return true;
    const [, bearer] = /^Bearer (.+)$/i.exec(headers.authorization ?? "") ?? [];
    return bearer === apiKey.reveal() || headers["x-api-key"] === apiKey.reveal();
  }

  #elapsedMs({ arrivedMs }: Exchange): number {
    return this.#clock.nowMs() - arrivedMs;
  }
}
