import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock, Random } from "../domain/ports.ts";
import { seededRandom } from "../lib/random.ts";
import { Books } from "./books.ts";
import { ChatEndpoint, SIMULATION_HEADERS } from "./chat-endpoint.ts";
import type { Dialect } from "./dialect.ts";
import { anthropicDialect } from "./dialects/anthropic-dialect.ts";
import { glmDialect } from "./dialects/glm-dialect.ts";
import { ollamaDialect } from "./dialects/ollama-dialect.ts";
import { openAiDialect } from "./dialects/openai-dialect.ts";
import { openRouterDialect } from "./dialects/openrouter-dialect.ts";
import { listModels } from "./list-models.ts";
import type { SimulationSettings } from "./simulation-settings.ts";

/** A simulated model server that takes calls. */
export interface RunningSimulator {
  readonly host: string;
  readonly port: number;
  readonly books: Books;
  /** Cuts what is running and resolves when nothing is open. */
  close(): Promise<void>;
}

/** The languages, by the paths they are spoken at. */
export const DIALECTS: readonly Dialect[] = [
  openAiDialect,
  glmDialect,
  openRouterDialect,
  anthropicDialect,
  ollamaDialect,
];

const DIALECT_BY_PATH = new Map(DIALECTS.flatMap((dialect) => dialect.paths.map((path) => [path, dialect])));
const NOWHERE = new URL("http://simulator/nowhere");
const MAX_READ_COUNT = 100_000;
const DEFAULT_READ_COUNT = 1_000;

/** Starts the server. Rejects when the address cannot be bound. */
export async function startSimulator(
  settings: SimulationSettings,
  address: { readonly host: string; readonly port: number },
  ports: { readonly clock: Clock; readonly random: Random },
): Promise<RunningSimulator> {
  const books = new Books();
  const random = settings.seed === undefined ? ports.random : seededRandom(settings.seed);
  const endpoint = new ChatEndpoint(settings, { clock: ports.clock, random }, books);
  const server = http.createServer((request, response) => {
    // What is no address, such as `//`, is a path that nobody speaks.
    const url = URL.parse(request.url ?? "/", "http://simulator") ?? NOWHERE;
    const dialect = request.method === "POST" ? DIALECT_BY_PATH.get(url.pathname) : undefined;
    if (dialect === undefined) {
      request.resume();
      return answerPlainly(books, settings, url, request, response);
    }
    // A client that leaves in the middle of its request has nothing to be told.
    endpoint.serve(dialect, request, response).catch(() => response.destroy());
  });
  // Nothing is cached between runs and clients are many: idle connections may stay.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    host: bound.address,
    port: bound.port,
    books,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerPlainly(
  books: Books,
  settings: SimulationSettings,
  url: URL,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { ...SIMULATION_HEADERS, "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (url.pathname === "/books" && request.method === "DELETE") {
    books.clear();
    return send(200, { simulated: true });
  }
  if (request.method !== "GET") return send(404, describePaths());
  if (url.pathname === "/books") {
    const after = readCount(url.searchParams.get("after"), 0);
    const limit = Math.min(readCount(url.searchParams.get("limit"), DEFAULT_READ_COUNT), MAX_READ_COUNT);
    return send(200, books.read(after, limit));
  }
  const isAnthropic = request.headers["anthropic-version"] !== undefined;
  const models = listModels(url.pathname, settings.models, isAnthropic);
  return models === undefined ? send(url.pathname === "/" ? 200 : 404, describePaths()) : send(200, models);
}

function describePaths() {
  return {
    simulated: true,
    note: "Sluice's simulator: no language model answers here",
    chat: Object.fromEntries(DIALECTS.map(({ name, paths }) => [name, paths])),
    books: "GET or DELETE /books",
  };
}

function readCount(text: string | null, byDefault: number): number {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : byDefault;
}
