/** The unary answer: a stream, collected. */

import type { RouteResult } from "../domain/attempt.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationEvent, ToolCall } from "../domain/event.ts";
import type { RouteConsumer } from "./route.ts";

/** A whole answer. */
export interface CollectedAnswer {
  readonly text: string;
  readonly reasoningText: string;
  readonly toolCalls: readonly ToolCall[];
}

/** Takes the one end of a collected route. */
export interface CollectListener {
  onAnswer(answer: CollectedAnswer, result: RouteResult): void;
  onFailed(error: RouteError): void;
}

/** Makes a consumer that keeps every delta and gives the whole answer at the end. */
export function collectGeneration(listener: CollectListener): RouteConsumer {
  let text = "";
  let reasoningText = "";
  const toolCalls = new Map<string, { name: string; arguments: string; thoughtSignature?: string }>();

  const collect = (event: GenerationEvent): void => {
    switch (event.kind) {
      case "text_delta":
        text += event.text;
        return;
      case "reasoning_delta":
        reasoningText += event.text;
        return;
      case "tool_call_delta": {
        const call = toolCalls.get(event.callId);
        if (call === undefined) {
          const { name, argumentsDelta, thoughtSignature: signature } = event;
          const signed = signature === undefined ? {} : { thoughtSignature: signature };
          toolCalls.set(event.callId, { name, arguments: argumentsDelta, ...signed });
        } else {
          call.arguments += event.argumentsDelta;
          if (event.thoughtSignature !== undefined) call.thoughtSignature = event.thoughtSignature;
        }
        return;
      }
      case "usage":
        return;
    }
  };

  return {
    onStarted() {},
    onSwitched() {},
    onEvents(_attemptNumber, batch) {
      for (const event of batch) collect(event);
      return true;
    },
    onFinished(result) {
      const calls = [...toolCalls].map(([callId, call]) => ({ callId, ...call }));
      listener.onAnswer({ text, reasoningText, toolCalls: calls }, result);
    },
    onFailed: (error) => listener.onFailed(error),
  };
}
