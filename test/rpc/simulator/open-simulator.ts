import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import {
  DEFAULT_SIMULATION,
  type SimulationSettings,
} from "../../../src/simulator-server/simulation-settings.ts";
import { type RunningSimulator, startSimulator } from "../../../src/simulator-server/start-simulator.ts";

/** A simulator without delays on a free port of 127.0.0.1. */
export function openSimulator(changes: Partial<SimulationSettings> = {}): Promise<RunningSimulator> {
  const settings: SimulationSettings = {
    ...DEFAULT_SIMULATION,
    timeToFirstToken: { median: 0, p95: 0 },
    tokensPerSecond: { median: 0, p95: 0 },
    outputTokens: { median: 20, p95: 20 },
    ...changes,
  };
  return startSimulator(
    settings,
    { host: "127.0.0.1", port: 0 },
    { clock: systemClock, random: systemRandom },
  );
}

/** A chat request of each dialect, by the path it goes to. */
export const REQUESTS = {
  openai: {
    path: "/v1/chat/completions",
    make: (model: string, stream: boolean): object => ({
      model,
      stream,
      stream_options: { include_usage: true },
      messages: [{ role: "user", content: "Hello" }],
    }),
  },
  glm: {
    path: "/api/paas/v4/chat/completions",
    make: (model: string, stream: boolean): object => ({
      model,
      stream,
      messages: [{ role: "user", content: "Hello" }],
    }),
  },
  openrouter: {
    path: "/api/v1/chat/completions",
    make: (model: string, stream: boolean): object => ({
      model,
      stream,
      messages: [{ role: "user", content: "Hello" }],
    }),
  },
  anthropic: {
    path: "/v1/messages",
    make: (model: string, stream: boolean): object => ({
      model,
      stream,
      max_tokens: 1_000,
      messages: [{ role: "user", content: "Hello" }],
    }),
  },
  ollama: {
    path: "/api/chat",
    make: (model: string, stream: boolean): object => ({
      model,
      stream,
      messages: [{ role: "user", content: "Hello" }],
    }),
  },
} as const;

export type RequestDialect = keyof typeof REQUESTS;
export const DIALECT_NAMES = Object.keys(REQUESTS) as readonly RequestDialect[];

/** Sends one chat request. */
export function ask(
  simulator: RunningSimulator,
  dialect: RequestDialect,
  options: { model?: string; stream?: boolean; changes?: object; signal?: AbortSignal } = {},
): Promise<Response> {
  const { path, make } = REQUESTS[dialect];
  return fetch(`http://127.0.0.1:${simulator.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...make(options.model ?? "m", options.stream ?? false), ...options.changes }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}
