import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import {
  GenerationSpecSchema,
  type Priority,
  Role,
  type TaskType,
} from "../../../gen/sluice/v1/generation_pb.ts";
import { decodeRequest } from "../../../src/service/decode-request.ts";

type Spec = MessageInitShape<typeof GenerationSpecSchema>;
type Text = { part: { case: "text"; value: string } };

const text = (value: string): Text => ({ part: { case: "text", value } });
const user = { role: Role.USER, parts: [text("Hello")] };
const decode = (spec: Spec) => decodeRequest(create(GenerationSpecSchema, spec));

function violationsOf(spec: Spec): readonly string[] {
  const decoded = decode(spec);
  return decoded.ok ? [] : decoded.violations.map(({ field }) => field);
}

const image = (init: object) => ({
  role: Role.USER,
  parts: [{ part: { case: "image" as const, value: init } }],
});
const imageUrl = (value: string) => image({ source: { case: "url", value } });

describe("wrong requests are refused with the field that is wrong", () => {
  const rows: readonly (readonly [string, Spec, string])[] = [
    ["no messages", {}, "spec.messages"],
    ["messages and a dialogue", { messages: [user], dialogue: { query: "q" } }, "spec.messages"],
    ["1,001 messages", { messages: Array.from({ length: 1_001 }, () => user) }, "spec.messages"],
    ["no role", { messages: [{ parts: [text("x")] }] }, "spec.messages[0].role"],
    ["an unknown role", { messages: [{ role: 99 as Role, parts: [text("x")] }] }, "spec.messages[0].role"],
    ["no parts", { messages: [user, { role: Role.USER }] }, "spec.messages[1].parts"],
    ["an unset part", { messages: [{ role: Role.USER, parts: [{}] }] }, "spec.messages[0].parts[0]"],
    [
      "an empty text",
      { messages: [{ role: Role.USER, parts: [text("")] }] },
      "spec.messages[0].parts[0].text",
    ],
    ["a bad speaker name", { messages: [{ ...user, name: "a b" }] }, "spec.messages[0].name"],
    [
      "an image from the assistant",
      { messages: [{ ...imageUrl("https://example.com/a.png"), role: Role.ASSISTANT }] },
      "spec.messages[0].parts[0].image",
    ],
    [
      "a cleartext image address",
      { messages: [imageUrl("http://example.com/a.png")] },
      "spec.messages[0].parts[0].image.url",
    ],
    [
      "an image address with a password",
      { messages: [imageUrl("https://me:secret@example.com/a.png")] },
      "spec.messages[0].parts[0].image.url",
    ],
    [
      "an image address with a line break",
      { messages: [imageUrl("https://example.com/a.png\r\nx: y")] },
      "spec.messages[0].parts[0].image.url",
    ],
    [
      "an image address with a backslash",
      { messages: [imageUrl("https://example.com\\@evil.example/a.png")] },
      "spec.messages[0].parts[0].image.url",
    ],
    [
      "an image address that is none",
      { messages: [imageUrl("https://")] },
      "spec.messages[0].parts[0].image.url",
    ],
    [
      "image bytes without a type",
      { messages: [image({ source: { case: "data", value: new Uint8Array(3) } })] },
      "spec.messages[0].parts[0].image.media_type",
    ],
    [
      "an empty image",
      { messages: [image({ source: { case: "data", value: new Uint8Array() }, mediaType: "image/png" })] },
      "spec.messages[0].parts[0].image.data",
    ],
    ["a tool result for no call", { messages: [{ role: Role.TOOL }] }, "spec.messages[0].tool_call_id"],
    [
      "a call id on a user message",
      { messages: [{ ...user, toolCallId: "c" }] },
      "spec.messages[0].tool_call_id",
    ],
    [
      "a call by the user",
      { messages: [{ ...user, toolCalls: [{ callId: "c", name: "f" }] }] },
      "spec.messages[0].tool_calls",
    ],
    [
      "a call without an id",
      { messages: [{ role: Role.ASSISTANT, toolCalls: [{ name: "f" }] }] },
      "spec.messages[0].tool_calls[0].call_id",
    ],
    ["an empty dialogue query", { dialogue: { promptTemplate: "x" } }, "spec.dialogue.query"],
    ["a target of no kind", { messages: [user], target: {} }, "spec.target"],
    [
      "an empty model name",
      { messages: [user], target: { kind: { case: "model", value: "" } } },
      "spec.target.model",
    ],
    ["an unknown task", { messages: [user], taskType: 99 as TaskType }, "spec.task_type"],
    ["an unknown priority", { messages: [user], priority: 99 as Priority }, "spec.priority"],
    [
      "a window of nothing",
      { messages: [user], requirements: { contextTokenCount: 0 } },
      "spec.requirements.context_token_count",
    ],
    ["a hot temperature", { messages: [user], sampling: { temperature: 2.1 } }, "spec.sampling.temperature"],
    [
      "no temperature at all",
      { messages: [user], sampling: { temperature: Number.NaN } },
      "spec.sampling.temperature",
    ],
    ["a nucleus of nothing", { messages: [user], sampling: { topP: 0 } }, "spec.sampling.top_p"],
    [
      "no output tokens",
      { messages: [user], sampling: { maxOutputTokenCount: 0 } },
      "spec.sampling.max_output_token_count",
    ],
    [
      "five stop sequences",
      { messages: [user], sampling: { stopSequences: ["a", "b", "c", "d", "e"] } },
      "spec.sampling.stop_sequences",
    ],
    [
      "an empty stop sequence",
      { messages: [user], sampling: { stopSequences: ["a", ""] } },
      "spec.sampling.stop_sequences[1]",
    ],
    ["a tool without a name", { messages: [user], tools: [{}] }, "spec.tools[0].name"],
    [
      "two tools of one name",
      { messages: [user], tools: [{ name: "f" }, { name: "f" }] },
      "spec.tools[1].name",
    ],
    [
      "a choice among no tools",
      { messages: [user], toolChoice: { choice: { case: "mode", value: 1 } } },
      "spec.tool_choice",
    ],
    [
      "a choice of an unknown tool",
      { messages: [user], tools: [{ name: "f" }], toolChoice: { choice: { case: "toolName", value: "g" } } },
      "spec.tool_choice.tool_name",
    ],
    ["a format of no kind", { messages: [user], responseFormat: {} }, "spec.response_format"],
    [
      "a schema format without a schema",
      { messages: [user], responseFormat: { format: { case: "jsonSchema", value: { name: "n" } } } },
      "spec.response_format.json_schema.schema",
    ],
  ];
  for (const [name, spec, field] of rows) {
    it(`${name}: ${field}`, () => expect(violationsOf(spec)).to.deep.equal([field]));
  }

  it("a missing spec", () => {
    expect(decodeRequest(undefined)).to.deep.equal({
      ok: false,
      violations: [{ field: "spec", description: "must be set" }],
    });
  });

  it("names every wrong field at once", () => {
    const spec = { messages: [{ parts: [text("")] }], sampling: { temperature: 9, topP: 9 } };
    expect(violationsOf(spec)).to.have.members([
      "spec.messages[0].role",
      "spec.messages[0].parts[0].text",
      "spec.sampling.temperature",
      "spec.sampling.top_p",
    ]);
  });

  it("never repeats what the caller wrote in a text (property)", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{12,20}$/), (canary) => {
        const decoded = decode({
          messages: [{ parts: [text(canary)], name: `${canary} !`, toolCallId: canary }, imageUrl(canary)],
          dialogue: { query: "", promptTemplate: canary },
          tools: [{ name: `${canary} !`, description: canary }],
          sampling: { stopSequences: [canary, ""] },
        });
        expect(JSON.stringify(decoded)).to.not.include(canary);
      }),
    );
  });
});

describe("right requests are translated whole", () => {
  it("what is said of thinking, and nothing where nothing is", () => {
    const thinkingOf = (thinking?: boolean) => {
      const decoded = decode({
        messages: [{ role: Role.USER, parts: [text("Hi")] }],
        ...(thinking === undefined ? {} : { thinking }),
      });
      return decoded.ok ? decoded.request.thinking : "refused";
    };
    expect([thinkingOf(true), thinkingOf(false), thinkingOf()]).to.deep.equal([true, false, undefined]);
  });

  it("a conversation with an image, tools and a schema", () => {
    const decoded = decode({
      messages: [
        { role: Role.SYSTEM, parts: [text("Be brief.")] },
        {
          role: Role.USER,
          name: "ann",
          parts: [
            text("What is it?"),
            {
              part: {
                case: "image",
                value: {
                  source: { case: "data", value: Uint8Array.of(1) },
                  mediaType: "image/png",
                  detail: 1,
                },
              },
            },
          ],
        },
        { role: Role.ASSISTANT, toolCalls: [{ callId: "c1", name: "look", arguments: "{}" }] },
        { role: Role.TOOL, toolCallId: "c1", parts: [text("a cat")] },
      ],
      target: { kind: { case: "model", value: "glm-4.6-vision" } },
      taskType: 9,
      priority: 2,
      requirements: { vision: true, contextTokenCount: 5_000 },
      sampling: { temperature: 0, topP: 1, maxOutputTokenCount: 7, stopSequences: ["END"] },
      tools: [{ name: "look", description: "Looks.", parameters: { type: "object" } }],
      toolChoice: { choice: { case: "toolName", value: "look" } },
      responseFormat: {
        format: { case: "jsonSchema", value: { name: "n", schema: { a: 1 }, strict: true } },
      },
    });
    expect(decoded).to.deep.equal({
      ok: true,
      request: {
        messages: [
          { role: "system", parts: [{ kind: "text", text: "Be brief." }] },
          {
            role: "user",
            name: "ann",
            parts: [
              { kind: "text", text: "What is it?" },
              {
                kind: "image",
                source: { kind: "data", data: Uint8Array.of(1), mediaType: "image/png" },
                detail: "low",
              },
            ],
          },
          { role: "assistant", parts: [], toolCalls: [{ callId: "c1", name: "look", arguments: "{}" }] },
          { role: "tool", toolCallId: "c1", parts: [{ kind: "text", text: "a cat" }] },
        ],
        target: { kind: "model", model: "glm-4.6-vision" },
        taskType: "vision_analysis",
        priority: "quality",
        requirements: {
          vision: true,
          tools: false,
          jsonOutput: false,
          longContext: false,
          contextTokens: 5_000,
        },
        sampling: { temperature: 0, topP: 1, maxOutputTokens: 7, stopSequences: ["END"] },
        tools: [{ name: "look", description: "Looks.", parameters: { type: "object" } }],
        toolChoice: { kind: "tool", name: "look" },
        responseFormat: { kind: "json_schema", name: "n", schema: { a: 1 }, strict: true },
      },
    });
  });

  it("the plainest request: automatic, balanced, nothing demanded", () => {
    expect(decode({ messages: [user] })).to.deep.equal({
      ok: true,
      request: {
        messages: [{ role: "user", parts: [{ kind: "text", text: "Hello" }] }],
        target: { kind: "automatic" },
        priority: "balanced",
        requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
        sampling: {},
        tools: [],
      },
    });
  });

  it("a dialogue: system, long history, short history, query; empty turns left out", () => {
    const decoded = decode({
      dialogue: {
        promptTemplate: "You are {{role_name}}, talking to {{user_name}}. {{other}} {{role_name}}!",
        roleName: "{{user_name}}",
        userName: "李雷",
        query: "And now?",
        longHistory: [{ userText: "long ago", assistantText: "yes" }],
        shortHistory: [{ userText: "", assistantText: "hello again" }, { userText: "hi" }],
      },
    });
    const said = decoded.ok
      ? decoded.request.messages.map(({ role, parts }) => [role, parts[0]?.kind === "text" && parts[0].text])
      : [];
    expect(said).to.deep.equal([
      ["system", "You are {{user_name}}, talking to 李雷. {{other}} {{user_name}}!"],
      ["user", "long ago"],
      ["assistant", "yes"],
      ["assistant", "hello again"],
      ["user", "hi"],
      ["user", "And now?"],
    ]);
  });
});
