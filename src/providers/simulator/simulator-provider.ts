import type { SimulatorProviderConfig } from "../../config/config.ts";
import type { Clock, Provider, ProviderCall, Random } from "../../domain/ports.ts";
import { seededRandom } from "../../lib/random.ts";
import { estimateInputTokens } from "./estimate-tokens.ts";
import { type PlannedAnswer, planAnswer } from "./plan-answer.ts";
import { type Pace, type Script, SimulatedAttempt } from "./simulated-attempt.ts";

/** What the simulator needs from outside. */
export interface SimulatorProviderDeps {
  readonly clock: Clock;
  /** Draws the failures when the configuration has no seed. */
  readonly random: Random;
}

const OK_STATUS = 200;
const ERROR_STATUS = 500;
const PROVIDER_CODE = "simulated";

/**
 * A provider without a language model: it answers with text that says so, at the pace
 * and with the failures that the configuration asks for. One number is drawn per
 * attempt, so the same seed gives the same failures in the same order.
 */
export function createSimulatorProvider(
  config: SimulatorProviderConfig,
  deps: SimulatorProviderDeps,
): Provider {
  const random = config.seed === undefined ? deps.random : seededRandom(config.seed);
  let isClosed = false;
  const running = new Set<SimulatedAttempt>();
  const pace: Pace = {
    timeToFirstTokenMs: config.timeToFirstTokenMs,
    tokensPerSecond: config.tokensPerSecond > 0 ? config.tokensPerSecond : Number.POSITIVE_INFINITY,
  };
  const forget = (attempt: SimulatedAttempt) => void running.delete(attempt);

  return {
    name: config.name,
    simulated: true,
    start(call, sink) {
      const script: Script = isClosed
        ? { kind: "fail", failure: { class: "network" } }
        : writeScript(config, call, random.next());
      const attempt = new SimulatedAttempt(deps.clock, pace, script, sink, forget);
      running.add(attempt);
      return attempt;
    },
    async close() {
      isClosed = true;
      for (const attempt of running) attempt.cut();
    },
  };
}

/** `draw` is from 0 to 1: failures take the lowest part of it, then hangs, then cuts. */
function writeScript(config: SimulatorProviderConfig, call: ProviderCall, draw: number): Script {
  const failUntil = config.failureRatio;
  const hangUntil = failUntil + config.hangRatio;
  const cutUntil = hangUntil + config.cutRatio;
  if (draw < failUntil) {
    return {
      kind: "fail",
      failure: { class: "server_error", httpStatus: ERROR_STATUS, providerCode: PROVIDER_CODE },
    };
  }
  if (draw < hangUntil) return { kind: "hang" };
  const answer = planAnswer(call, config.outputTokens);
  if (draw < cutUntil) {
    const failure = {
      class: "stream_interrupted",
      httpStatus: OK_STATUS,
      providerCode: PROVIDER_CODE,
    } as const;
    return { kind: "cut", answer, failure };
  }
  return {
    kind: "answer",
    answer,
    usage: countUsage(call, answer),
    responseModel: `${call.deployment.upstreamModel}-simulated`,
  };
}

function countUsage(call: ProviderCall, answer: PlannedAnswer) {
  return { inputTokens: estimateInputTokens(call.request), outputTokens: answer.events.length };
}
