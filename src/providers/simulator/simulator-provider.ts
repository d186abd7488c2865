import type { SimulatorProviderConfig } from "../../config/config.ts";
import type { Clock, Provider, ProviderCall, Random } from "../../domain/ports.ts";
import { seededRandom } from "../../lib/random.ts";
import { type AttemptFigures, BusyConditions, describeFault } from "./busy-conditions.ts";
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
const CUT = { class: "stream_interrupted", httpStatus: OK_STATUS, providerCode: PROVIDER_CODE } as const;

/**
 * A provider without a language model: it answers with text that says so, at the pace
 * and with the failures that the configuration asks for. As many numbers are drawn for
 * each attempt, so the same seed gives the same failures in the same order.
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
  const { behaviour } = config;
  const busy = behaviour && new BusyConditions(config, behaviour, deps.clock);
  const decide = (call: ProviderCall): { script: Script; pace: Pace } => {
    if (isClosed) return { script: { kind: "fail", failure: { class: "network" } }, pace };
    const chance = random.next();
    if (busy === undefined) return { script: writeScript(config, call, chance), pace };
    const figures = busy.drawFigures(random);
    return { script: writeBusyScript(config, busy, figures, call, chance), pace: figures.pace };
  };
  const forget = (attempt: SimulatedAttempt) => void running.delete(attempt);

  return {
    name: config.name,
    simulated: true,
    start(call, sink) {
      const { script, pace } = decide(call);
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
function writeScript(
  config: SimulatorProviderConfig,
  call: ProviderCall,
  draw: number,
  outputTokens = config.outputTokens,
): Script {
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
  const answer = planAnswer(call, outputTokens);
  return draw < cutUntil ? { kind: "cut", answer, failure: CUT } : writeAnswer(call, answer);
}

function writeBusyScript(
  config: SimulatorProviderConfig,
  busy: BusyConditions,
  { outputTokens }: AttemptFigures,
  call: ProviderCall,
  chance: number,
): Script {
  const model = call.deployment.upstreamModel;
  const fault = busy.findFault(model, chance);
  if (fault === "hang") return { kind: "hang" };
  if (fault === "cut") return { kind: "cut", answer: planAnswer(call, outputTokens), failure: CUT };
  if (fault !== undefined) return { kind: "fail", failure: describeFault(fault) };
  const script = writeScript(config, call, chance, outputTokens);
  const isAnswering = script.kind === "answer" || script.kind === "cut";
  const answerTokens = isAnswering ? script.answer.events.length : 0;
  const refusal = busy.admit(model, estimateInputTokens(call.request) + answerTokens);
  return refusal === undefined ? script : { kind: "fail", failure: refusal };
}

function writeAnswer(call: ProviderCall, answer: PlannedAnswer): Script {
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
