import { expect } from "chai";
import fc from "fast-check";
import type { Target } from "../../../src/domain/request.ts";
import { decodeChatRequest } from "../../../src/openai/decode-chat-request.ts";
import { decodeText, decodeWith, expectChat, listFaults } from "./decode-by-hand.ts";

describe("decodeChatRequest", () => {
  it("reads the smallest request", () => {
    expect(expectChat(decodeWith({}))).to.deep.equal({
      generation: {
        messages: [{ role: "user", parts: [{ kind: "text", text: "Hello" }] }],
        target: { kind: "automatic" },
        priority: "balanced",
        requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
        sampling: {},
        tools: [],
      },
      form: {
        isStream: false,
        includesUsage: false,
        isLegacy: false,
        isSingleCall: false,
        notEnforced: [],
      },
    });
  });

  const targets: readonly [string, Target][] = [
    ["auto", { kind: "automatic" }],
    ["", { kind: "automatic" }],
    ["sluice/auto", { kind: "automatic" }],
    ["sluice/", { kind: "automatic" }],
    ["glm-4.6-flash", { kind: "model", model: "glm-4.6-flash" }],
    ["sluice/glm-4.6-flash", { kind: "model", model: "glm-4.6-flash" }],
    ["sluice/odd", { kind: "model", model: "sluice/odd" }],
    ["fast_group", { kind: "named", name: "fast_group" }],
    ["sluice/fast_group.echelon1", { kind: "named", name: "fast_group.echelon1" }],
  ];
  for (const [name, target] of targets) {
    it(`takes the model "${name}" for ${target.kind === "automatic" ? "automatic choice" : `a ${target.kind} target`}`, () => {
      expect(expectChat(decodeWith({ model: name })).generation.target).to.deep.equal(target);
    });
  }

  it("reads sampling, with one token limit under either name", () => {
    const read = (members: Record<string, unknown>) => expectChat(decodeWith(members)).generation.sampling;
    expect(read({ temperature: 0, top_p: 1, max_tokens: 7, stop: "END" })).to.deep.equal({
      temperature: 0,
      topP: 1,
      maxOutputTokens: 7,
      stopSequences: ["END"],
    });
    expect(read({ max_completion_tokens: 9, stop: ["a", "b"] })).to.deep.equal({
      maxOutputTokens: 9,
      stopSequences: ["a", "b"],
    });
    expect(read({ max_tokens: 9, max_completion_tokens: 9, stop: [] })).to.deep.equal({ maxOutputTokens: 9 });
  });

  it("reads the form of the answer", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const read = (format: unknown) => expectChat(decodeWith({ response_format: format })).generation;
    expect(read({ type: "text" })).not.to.have.property("responseFormat");
    expect(read({ type: "json_object" }).responseFormat).to.deep.equal({ kind: "json_object" });
    const format = { type: "json_schema", json_schema: { name: "reply", schema, strict: true } };
    expect(read(format).responseFormat).to.deep.equal({
      kind: "json_schema",
      name: "reply",
      schema,
      strict: true,
    });
  });

  it("reads stream options and Sluice's extension", () => {
    const chat = expectChat(
      decodeWith({
        stream: true,
        stream_options: { include_usage: true, include_obfuscation: false },
        sluice: {
          priority: "cost",
          task_type: "translation",
          strategy: "best_of_two",
          explain: true,
          thinking: false,
        },
      }),
    );
    expect(chat.form).to.include({ isStream: true, includesUsage: true });
    expect(chat.generation).to.include({
      priority: "cost",
      taskType: "translation",
      strategy: "best_of_two",
      explain: true,
      thinking: false,
    });
  });

  const faulty: readonly [string, Record<string, unknown>, readonly string[]][] = [
    ["no model", { model: null }, ["missing_required_parameter model"]],
    ["a model that is a number", { model: 4 }, ["invalid_type model"]],
    ["a model name without end", { model: "m".repeat(257) }, ["invalid_value model"]],
    ["a temperature above 2", { temperature: 2.1 }, ["invalid_value temperature"]],
    ["a temperature in words", { temperature: "hot" }, ["invalid_type temperature"]],
    ["no nucleus at all", { top_p: 0 }, ["invalid_value top_p"]],
    ["no tokens", { max_tokens: 0 }, ["invalid_value max_tokens"]],
    ["half a token", { max_completion_tokens: 1.5 }, ["invalid_value max_completion_tokens"]],
    ["two limits", { max_tokens: 1, max_completion_tokens: 2 }, ["invalid_value max_tokens"]],
    ["five stops", { stop: ["1", "2", "3", "4", "5"] }, ["invalid_value stop"]],
    ["an empty stop", { stop: ["1", ""] }, ["invalid_value stop[1]"]],
    ["a stop that is a number", { stop: 3 }, ["invalid_type stop"]],
    ["a stream in words", { stream: "yes" }, ["invalid_type stream"]],
    [
      "options without a stream",
      { stream_options: { include_usage: true } },
      ["invalid_value stream_options"],
    ],
    [
      "padding of a stream",
      { stream: true, stream_options: { include_obfuscation: true } },
      ["unsupported_value stream_options.include_obfuscation"],
    ],
    ["an unknown priority", { sluice: { priority: "best" } }, ["invalid_value sluice.priority"]],
    ["thinking in words", { sluice: { thinking: "yes" } }, ["invalid_type sluice.thinking"]],
    ["an explanation in words", { sluice: { explain: "yes" } }, ["invalid_type sluice.explain"]],
    ["an unknown strategy", { sluice: { strategy: "best" } }, ["invalid_value sluice.strategy"]],
    ["an unknown wish", { sluice: { speed: 1 } }, ["unknown_parameter sluice.speed"]],
    [
      "a format without a schema",
      { response_format: { type: "json_schema" } },
      ["missing_required_parameter response_format.json_schema"],
    ],
    [
      "a schema with a bad name",
      { response_format: { type: "json_schema", json_schema: { name: "a b", schema: {} } } },
      ["invalid_value response_format.json_schema.name"],
    ],
    ["an unknown format", { response_format: { type: "grammar" } }, ["invalid_value response_format.type"]],
    ["an unknown parameter", { thinking: { type: "enabled" } }, ["unknown_parameter thinking"]],
    ["several choices", { n: 2 }, ["unsupported_parameter n"]],
  ];
  for (const [title, members, faults] of faulty) {
    it(`refuses ${title}, naming ${faults.map((fault) => fault.split(" ")[1]).join(", ")}`, () => {
      expect(listFaults(decodeWith(members))).to.deep.equal(faults);
    });
  }

  it("names every fault, up to eight", () => {
    expect(listFaults(decodeWith({ n: 2, temperature: 3, stop: 1 }))).to.have.length(3);
    const unknown = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, 1]));
    expect(listFaults(decodeWith(unknown))).to.have.length(8);
  });

  it("says where JSON is wrong without quoting it", () => {
    const decoded = decodeText('{"messages": "my secret plan" "');
    expect(decoded).to.deep.equal({
      kind: "faulty",
      faults: [{ code: "invalid_value", param: "", message: "is not JSON: wrong at character 30" }],
    });
    expect(JSON.stringify(decodeText("secret"))).not.to.contain("secret");
    expect(listFaults(decodeText("[]"))).to.deep.equal(["invalid_type "]);
    expect(listFaults(decodeChatRequest(Uint8Array.of(0x22, 0xff, 0x22), new Set()))).to.have.length(1);
  });

  it("refuses schemas that nest deeper than 64 levels and takes 64", () => {
    const nest = (levels: number) => {
      let schema = {};
      for (let level = 1; level < levels; level++) schema = { a: schema };
      return { response_format: { type: "json_schema", json_schema: { name: "deep", schema } } };
    };
    expect(listFaults(decodeWith(nest(64)))).to.deep.equal([]);
    expect(listFaults(decodeWith(nest(65)))).to.deep.equal([
      "invalid_value response_format.json_schema.schema",
    ]);
    expect(listFaults(decodeText(`{"tools":${"[".repeat(200_000)}`))).to.have.length(1);
  });

  it("is not confused by names that objects inherit", () => {
    const text = '{"model":"auto","messages":[{"role":"user","content":"x"}],"__proto__":{"n":1}}';
    expect(listFaults(decodeText(text))).to.deep.equal(["unknown_parameter __proto__"]);
    expect(listFaults(decodeWith({ constructor: 1 }))).to.deep.equal(["unknown_parameter constructor"]);
  });

  it("never throws, and never quotes long text, whatever the JSON", () => {
    const keys = fc.constantFrom("messages", "model", "tools", "tool_choice", "stop", "sluice", "functions");
    const value = fc.jsonValue({ maxDepth: 4 }).map((json) => JSON.parse(JSON.stringify(json)));
    fc.assert(
      fc.property(fc.dictionary(keys, value), (members) => {
        const decoded = decodeWith({ ["s".repeat(70)]: "s".repeat(70), ...members });
        expect(JSON.stringify(decoded)).not.to.contain("s".repeat(65));
        return decoded.kind === "faulty" && decoded.faults.length > 0;
      }),
    );
  });
});
