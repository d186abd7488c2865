/** The door for OpenAI's clients: chat completions and models under `/v1/`. */

import type { Model } from "../domain/deployment.ts";
import type { Clock, Random } from "../domain/ports.ts";
import type { Targets } from "../domain/targets.ts";
import type { Router } from "../router/route.ts";
import type { HttpDoor, HttpExchange } from "../service/http-exchange.ts";
import { handleChat, sendError } from "./chat-completions.ts";
import { answerRefusal } from "./error-answer.ts";
import { showName } from "./fault.ts";
import { createModelsPage } from "./models-page.ts";

/** What the door is made of. */
export interface OpenAiDoorParts {
  readonly router: Router;
  /** The catalog. */
  readonly models: readonly Model[];
  /** Groups, pools, chains and aliases, which callers may name as a model; undefined means none. */
  readonly targets?: Pick<Targets, "groups" | "pools" | "chains" | "aliases">;
  readonly clock: Clock;
  /** For the ids of answers. */
  readonly random: Random;
}

const MODEL_PATH = "/v1/models/";

/**
 * Makes the door. It serves every path under `/v1`, with errors in OpenAI's shape
 * for what it does not have. Keys in `authorization` are neither read nor passed on.
 */
export function createOpenAiDoor(parts: OpenAiDoorParts): HttpDoor {
  const { router, models, clock, random } = parts;
  const page = createModelsPage(models, listTargetNames(parts), Math.floor(clock.wallMs() / 1_000));
  const chatParts = { router, catalogNames: new Set(models.map(({ name }) => name)), clock, random };

  return {
    serves: (path) => path === "/v1" || path.startsWith("/v1/"),
    handle(exchange) {
      const { path } = exchange;
      if (path === "/v1/chat/completions") {
        if (allows("POST", exchange)) handleChat(exchange, chatParts);
      } else if (path === "/v1/models") {
        if (allows("GET", exchange)) sendJson(exchange, page.list);
      } else if (path.startsWith(MODEL_PATH) && path.length > MODEL_PATH.length) {
        if (!allows("GET", exchange)) return;
        const found = page.find(decodeSegment(path.slice(MODEL_PATH.length)));
        if (typeof found === "string") sendJson(exchange, found);
        else sendError(exchange, found);
      } else {
        const message = `there is no ${showName(exchange.httpMethod)} for this path; see docs/openai-door.md`;
        sendError(exchange, answerRefusal(404, "unknown_url", message));
      }
    },
  };
}

function listTargetNames({ targets }: OpenAiDoorParts): readonly string[] {
  if (targets === undefined) return [];
  const { groups, pools, chains, aliases } = targets;
  return [...groups, ...pools, ...chains, ...aliases].map(({ name }) => name);
}

function allows(method: "GET" | "POST", exchange: HttpExchange): boolean {
  if (exchange.httpMethod === method) return true;
  const message = `this path takes ${method} only`;
  sendError(exchange, answerRefusal(405, "method_not_allowed", message, null, { allow: method }));
  return false;
}

function sendJson(exchange: HttpExchange, body: string): void {
  exchange.respond(200, { "content-type": "application/json" }, body);
}

/** Clients escape the slashes of a name; what cannot be unescaped is a name no catalog has. */
function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
