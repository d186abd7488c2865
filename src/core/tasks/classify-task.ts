/** Guesses a task from words: English, Chinese and Russian. No model, no learning, no state. */

import type { TaskType } from "../../domain/deployment.ts";
import type { GenerationRequest, Message } from "../../domain/request.ts";
import type { TaskClassifier } from "./task-classifier.ts";
import { ANY, CYRILLIC, HAN, TASK_SIGNALS } from "./task-signals.ts";

/** What is read of the last question: its begin and its end, where people say what they want. */
const HEAD_CHARS = 4_000;
const TAIL_CHARS = 2_000;

/** A signal in the first words is what the caller wants; later ones are often what it is about. */
const OPENING_CHARS = 160;
const OPENING_FACTOR = 2;

/** Estimated tokens from which a prompt is long: beyond the window of the standard models of seed 000. */
const LONG_PROMPT_TOKENS = 30_000;

/** How far the messages are read for an estimate of their length; the rest goes by its length alone. */
const SAMPLE_CHARS = 2_000;

const SCRIPTS = [HAN, CYRILLIC, ANY];

const TOKENS_PER_DENSE_CHAR = 0.7;
const TOKENS_PER_OTHER_CHAR = 0.25;
const DENSE = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g;

/**
 * The keyword classifier:
 * 1. a request with an image is `vision_analysis`;
 * 2. one whose prompt is very long is `long_context`;
 * 3. else the task whose signals weigh most in the last question of the user; of equals
 *    the one that stands first in `TASK_SIGNALS`; without any, `text_generation`.
 * It reads at most a few thousand characters of each message, however long they are.
 */
export const keywordClassifier: TaskClassifier = { classify: classifyTask };

/** As `keywordClassifier`. */
export function classifyTask(request: GenerationRequest): TaskType {
  if (request.messages.some((message) => message.parts.some((part) => part.kind === "image"))) {
    return "vision_analysis";
  }
  if (isLong(request.messages)) return "long_context";
  return classifyText(readQuestion(request.messages));
}

/** Guesses from one text. */
export function classifyText(text: string): TaskType {
  const shown = cutMiddle(text);
  const scripts = new Set(SCRIPTS.filter((script) => script.test(shown)));
  let best: TaskType = "text_generation";
  let bestWeight = 0;
  for (const { task, signals } of TASK_SIGNALS) {
    let weight = 0;
    for (const signal of signals) {
      if (!scripts.has(signal.script)) continue;
      const at = shown.search(signal.pattern);
      if (at >= 0) weight += signal.weight * (at < OPENING_CHARS ? OPENING_FACTOR : 1);
    }
    if (weight > bestWeight) {
      best = task;
      bestWeight = weight;
    }
  }
  return best;
}

function cutMiddle(text: string): string {
  if (text.length <= HEAD_CHARS + TAIL_CHARS) return text;
  return `${text.slice(0, HEAD_CHARS)}\n${text.slice(-TAIL_CHARS)}`;
}

function readQuestion(messages: readonly Message[]): string {
  const last = messages.findLast((message) => message.role === "user");
  if (last === undefined) return "";
  const texts: string[] = [];
  for (const part of last.parts) if (part.kind === "text") texts.push(cutMiddle(part.text));
  return texts.length === 1 ? (texts[0] ?? "") : cutMiddle(texts.slice(0, MAX_PARTS).join("\n"));
}

/** More parts than these say nothing more about what is wanted. */
const MAX_PARTS = 64;

function isLong(messages: readonly Message[]): boolean {
  let tokens = 0;
  for (const message of messages) {
    for (const part of message.parts) {
      if (part.kind === "text") tokens += estimateTokens(part.text);
      if (tokens > LONG_PROMPT_TOKENS) return true;
    }
  }
  return false;
}

function estimateTokens(text: string): number {
  if (text.length === 0) return 0;
  const sample = text.slice(0, SAMPLE_CHARS);
  const denseRatio = (sample.match(DENSE)?.length ?? 0) / sample.length;
  return text.length * (denseRatio * TOKENS_PER_DENSE_CHAR + (1 - denseRatio) * TOKENS_PER_OTHER_CHAR);
}
