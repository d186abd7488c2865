import http from "node:http";
import type { AddressInfo } from "node:net";
import { CANARIES } from "./canaries.ts";

/** On every answer, so that no test has a provider whose texts would do no harm. */
const LOUD = { "x-note": `${CANARIES.upstreamText} ${CANARIES.providerKey} ${CANARIES.prompt}` };

/** One request that reached the fake upstream, and the means to answer it. */
export class UpstreamExchange {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly response: http.ServerResponse;
  /** Numbers the client's connections from 0: exchanges with the same number shared one. */
  readonly connectionNumber: number;
  /** Whether the client closed the connection before the answer was over. */
  isClientGone = false;

  constructor(
    request: http.IncomingMessage,
    body: string,
    response: http.ServerResponse,
    connectionNumber: number,
  ) {
    this.method = request.method ?? "";
    this.path = request.url ?? "";
    this.headers = request.headers;
    this.body = body;
    this.response = response;
    this.connectionNumber = connectionNumber;
    response.on("close", () => {
      if (!response.writableEnded) this.isClientGone = true;
    });
  }

  get json(): Record<string, unknown> {
    return JSON.parse(this.body);
  }

  /** Sends the head of an answer that streams. */
  begin(status = 200, headers: http.OutgoingHttpHeaders = {}): void {
    this.response.writeHead(status, { "content-type": "text/event-stream", ...LOUD, ...headers });
    this.response.flushHeaders();
  }

  /** Sends bytes; false when the client does not read fast enough. */
  write(bytes: string | Buffer): boolean {
    return this.response.write(bytes);
  }

  /** Sends one chunk as an event. */
  send(chunk: unknown): boolean {
    return this.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }

  /** Sends a delta of text. */
  sendText(content: string): boolean {
    return this.send({ model: "upstream-1", choices: [{ index: 0, delta: { content } }] });
  }

  /** Ends the stream as OpenAI does. */
  finish(finishReason = "stop"): void {
    const usage = { prompt_tokens: 7, completion_tokens: 3 };
    this.send({
      model: "upstream-1",
      choices: [{ index: 0, delta: {}, finish_reason: finishReason }],
      usage,
    });
    this.write("data: [DONE]\n\n");
    this.response.end();
  }

  /** Answers at once and whole. */
  answer(status: number, headers: http.OutgoingHttpHeaders, body: string | Buffer): void {
    this.response.writeHead(status, { ...LOUD, ...headers });
    this.response.end(body);
  }

  /** Closes the connection in the middle with an RST. */
  reset(): void {
    this.response.socket?.resetAndDestroy();
  }

  /** Puts bytes on the wire past node:http, to lie about them. */
  writeRaw(bytes: string | Buffer): void {
    this.response.socket?.write(bytes);
  }
}

export type UpstreamScript = (exchange: UpstreamExchange) => void;

/** A real HTTP server that plays a script for each request with a body and records what it saw. */
export class FakeUpstream {
  readonly exchanges: UpstreamExchange[] = [];
  /** What to do with the next requests. */
  script: UpstreamScript;
  readonly #server: http.Server;
  #connectionCount = 0;

  private constructor(script: UpstreamScript) {
    this.script = script;
    const numbers = new WeakMap<object, number>();
    this.#server = http.createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("error", () => {});
      request.on("end", () => {
        // A start asks for the list of models; an empty one says nothing of any model.
        if (request.method === "GET") {
          response.setHeader("content-type", "application/json");
          response.end('{"object":"list","data":[]}');
          return;
        }
        const number = numbers.get(request.socket) ?? -1;
        const exchange = new UpstreamExchange(request, Buffer.concat(pieces).toString(), response, number);
        this.exchanges.push(exchange);
        this.script(exchange);
      });
    });
    this.#server.on("connection", (socket) => {
      numbers.set(socket, this.#connectionCount++);
      socket.on("error", () => {});
    });
  }

  static async start(script: UpstreamScript = (exchange) => exchange.begin()): Promise<FakeUpstream> {
    const upstream = new FakeUpstream(script);
    await new Promise<void>((resolve) => upstream.#server.listen(0, "127.0.0.1", resolve));
    return upstream;
  }

  get baseUrl(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/v1`;
  }

  /** How many connections clients have opened so far. */
  get connectionCount(): number {
    return this.#connectionCount;
  }

  /** Ends it. Throws when a Sluice whose key is a canary sent a prompt that holds none: then its test proves nothing of leaks. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    for (const { method, headers, body } of this.exchanges) {
      // Lists of models are asked for without a prompt.
      if (method === "GET") continue;
      if (headers.authorization?.includes(CANARIES.providerKey) !== true || body.includes(CANARIES.prompt))
        continue;
      throw new Error(`a prompt without CANARIES.prompt reached the model server: ${body.slice(0, 200)}`);
    }
  }
}
