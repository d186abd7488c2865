import type { FinishReason, GenerationEvent } from "../../domain/event.ts";
import type { ProviderCall } from "../../domain/ports.ts";
import type { Tool } from "../../domain/request.ts";
import { composeText, lastUserText } from "./compose-text.ts";
import { sampleSchema } from "./sample-schema.ts";

/** An answer before it is told: one event per token. */
export interface PlannedAnswer {
  readonly events: readonly GenerationEvent[];
  readonly finishReason: FinishReason;
}

/** What counts as one token of JSON. */
const JSON_PIECE = /[\s\S]{1,8}/gu;

/**
 * Decides what the simulation answers: a tool call when one is demanded, JSON when the
 * answer must be JSON, else text of `outputTokens` tokens. Stop sequences and the
 * request's output limit cut it as they would cut a model's answer.
 */
export function planAnswer(call: ProviderCall, outputTokens: number): PlannedAnswer {
  const { sampling } = call.request;
  const limitTokens = sampling.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const tool = findDemandedTool(call);
  if (tool) return planToolCall(call, tool, limitTokens);
  const json = composeJson(call);
  const pieces = json === undefined ? composeText(call, Math.min(outputTokens, limitTokens)) : cutJson(json);
  const stopped = cutAtStop(pieces, sampling.stopSequences ?? []);
  const events = stopped.slice(0, limitTokens).map((text): GenerationEvent => ({ kind: "text_delta", text }));
  const wantedTokens = json === undefined && stopped === pieces ? outputTokens : stopped.length;
  return { events, finishReason: wantedTokens > limitTokens ? "length" : "stop" };
}

function findDemandedTool(call: ProviderCall): Tool | undefined {
  const { tools, toolChoice } = call.request;
  if (toolChoice?.kind === "required") return tools[0];
  return toolChoice?.kind === "tool" ? tools.find(({ name }) => name === toolChoice.name) : undefined;
}

function planToolCall(call: ProviderCall, tool: Tool, limitTokens: number): PlannedAnswer {
  const callId = `call_simulated_${call.attemptId.slice(-16)}`;
  const value = tool.parameters === undefined ? {} : sampleSchema(tool.parameters);
  const pieces = cutJson(JSON.stringify(value));
  const events = ["", ...pieces].map(
    (argumentsDelta, index): GenerationEvent => ({
      kind: "tool_call_delta",
      callId,
      name: index === 0 ? tool.name : "",
      argumentsDelta,
      last: index === pieces.length,
    }),
  );
  const isCut = events.length > limitTokens;
  return {
    events: isCut ? closeCall(events.slice(0, limitTokens)) : events,
    finishReason: isCut ? "length" : "tool_calls",
  };
}

/** A call that the output limit cut still has a last piece. */
function closeCall(events: readonly GenerationEvent[]): readonly GenerationEvent[] {
  return events.map((event, index) =>
    event.kind === "tool_call_delta" && index === events.length - 1 ? { ...event, last: true } : event,
  );
}

function composeJson(call: ProviderCall): string | undefined {
  const format = call.request.responseFormat;
  if (format?.kind === "json_schema") return JSON.stringify(sampleSchema(format.schema));
  if (format?.kind !== "json_object") return undefined;
  return JSON.stringify({
    simulated: true,
    model: call.deployment.model,
    note: "written by Sluice's simulator, not by a language model",
    lastMessageCharacters: lastUserText(call).length,
  });
}

function cutJson(json: string): string[] {
  return json.match(JSON_PIECE) ?? [];
}

/** Cuts the pieces before the first stop sequence; gives the same array when there is none. */
function cutAtStop(pieces: readonly string[], stopSequences: readonly string[]): readonly string[] {
  if (stopSequences.length === 0) return pieces;
  const text = pieces.join("");
  const found = stopSequences.map((stop) => text.indexOf(stop)).filter((index) => index !== -1);
  if (found.length === 0) return pieces;
  let leftLength = Math.min(...found);
  const kept: string[] = [];
  for (const piece of pieces) {
    if (leftLength <= 0) break;
    kept.push(piece.slice(0, leftLength));
    leftLength -= piece.length;
  }
  return kept;
}
