import type { FailureClass } from "../../src/domain/outcome.ts";
import type { GenerationRequest } from "../../src/domain/request.ts";
import type { RecordingConsumer, RouterBench } from "../support/router-bench.ts";
import type { ScriptedAttempt } from "../support/scripted-provider.ts";

/** What an attempt does at once: answers, or fails. */
export type Answer = "answers" | FailureClass;

/** A request from its beginning to its end. */
export interface DrivenRequest {
  readonly consumer: RecordingConsumer;
  /** The models that were asked, in order. */
  readonly models: readonly string[];
  /** The deployments that were asked, in order. */
  readonly deployments: readonly string[];
  /** The requests that providers got, in order. */
  readonly sent: readonly GenerationRequest[];
  /** When each attempt began, from the arrival of the request. */
  readonly atMs: readonly number[];
}

/** How finely waits are measured. */
const STEP_MS = 50;

/** Routes a request and lets each attempt do at once what `answerOf` says for it; waits are sat out on the clock. */
export async function driveRequest(
  bench: RouterBench,
  changes: Partial<GenerationRequest>,
  answerOf: (model: string, attempt: ScriptedAttempt) => Answer,
): Promise<DrivenRequest> {
  const done = new Set(listAttempts(bench));
  const beganMs = bench.clock.nowMs();
  const { consumer } = bench.route(changes);
  const asked: ScriptedAttempt[] = [];
  const atMs: number[] = [];
  while (consumer.result === undefined && consumer.error === undefined) {
    const attempt = listAttempts(bench).find((each) => !done.has(each) && !each.aborted);
    if (attempt === undefined) {
      await bench.clock.advance(STEP_MS);
      continue;
    }
    done.add(attempt);
    asked.push(attempt);
    atMs.push(bench.clock.nowMs() - beganMs);
    const answer = answerOf(attempt.call.deployment.model, attempt);
    if (answer === "answers") attempt.complete();
    else attempt.fail(answer);
  }
  return {
    consumer,
    models: asked.map(({ call }) => call.deployment.model),
    deployments: asked.map(({ call }) => call.deployment.id),
    sent: asked.map(({ call }) => call.request),
    atMs,
  };
}

/** The models of some requests, each answered at its first attempt. */
export async function driveWell(
  bench: RouterBench,
  changes: Partial<GenerationRequest>,
  requestCount: number,
): Promise<readonly string[]> {
  const models: string[] = [];
  for (let request = 0; request < requestCount; request++) {
    models.push(...(await driveRequest(bench, changes, () => "answers")).models);
  }
  return models;
}

function listAttempts(bench: RouterBench): readonly ScriptedAttempt[] {
  return [...bench.providers.values()].flatMap(({ attempts }) => attempts);
}
