import { expect } from "chai";
import { decodeWith, expectChat, listFaults } from "./decode-by-hand.ts";

const PARAMETERS = { type: "object", properties: { zone: { type: "string" } } };
const FUNCTION = { name: "get_time", description: "Tells the time.", parameters: PARAMETERS };
const TOOL = { type: "function", function: FUNCTION };

describe("decodeToolRequest", () => {
  it("reads tools and each kind of choice", () => {
    const read = (choice: unknown) =>
      expectChat(decodeWith({ tools: [TOOL], tool_choice: choice })).generation.toolChoice;
    expect(expectChat(decodeWith({ tools: [TOOL] })).generation.tools).to.deep.equal([FUNCTION]);
    for (const kind of ["auto", "none", "required"]) expect(read(kind)).to.deep.equal({ kind });
    expect(read({ type: "function", function: { name: "get_time" } })).to.deep.equal({
      kind: "tool",
      name: "get_time",
    });
  });

  it("reads the old form as tools, and marks the answer to be in the old form", () => {
    const chat = expectChat(decodeWith({ functions: [FUNCTION], function_call: { name: "get_time" } }));
    expect(chat.generation.tools).to.deep.equal([FUNCTION]);
    expect(chat.generation.toolChoice).to.deep.equal({ kind: "tool", name: "get_time" });
    expect(chat.form).to.include({ isLegacy: true, isSingleCall: true });
  });

  it("gives one call only when parallel calls are not wanted", () => {
    const form = expectChat(decodeWith({ tools: [TOOL], parallel_tool_calls: false })).form;
    expect(form).to.include({ isLegacy: false, isSingleCall: true });
  });

  it("takes strict tools and tells that no deployment is made to keep it", () => {
    const strict = { type: "function", function: { ...FUNCTION, strict: true } };
    expect(expectChat(decodeWith({ tools: [strict] })).form.notEnforced).to.deep.equal([
      "tools.function.strict",
    ]);
  });

  it("lets a choice fall that asks for nothing because there are no tools", () => {
    expect(expectChat(decodeWith({ tools: [], tool_choice: "auto" })).generation).not.to.have.property(
      "toolChoice",
    );
  });

  const faulty: readonly [string, Record<string, unknown>, string][] = [
    ["129 tools", { tools: Array.from({ length: 129 }, () => TOOL) }, "invalid_value tools"],
    ["a custom tool", { tools: [{ type: "custom", custom: {} }] }, "invalid_value tools[0].type"],
    [
      "a tool without a function",
      { tools: [{ type: "function" }] },
      "missing_required_parameter tools[0].function",
    ],
    [
      "a tool without a name",
      { tools: [{ type: "function", function: {} }] },
      "missing_required_parameter tools[0].function.name",
    ],
    [
      "a bad name",
      { tools: [{ type: "function", function: { name: "get time" } }] },
      "invalid_value tools[0].function.name",
    ],
    ["two tools of one name", { tools: [TOOL, TOOL] }, "invalid_value tools[1].function.name"],
    [
      "parameters that are a list",
      { tools: [{ type: "function", function: { name: "f", parameters: [] } }] },
      "invalid_type tools[0].function.parameters",
    ],
    ["a demand without tools", { tool_choice: "required" }, "invalid_value tool_choice"],
    [
      "a choice of what is not there",
      { tools: [TOOL], tool_choice: { type: "function", function: { name: "other" } } },
      "invalid_value tool_choice",
    ],
    [
      "a choice among some",
      { tools: [TOOL], tool_choice: { type: "allowed_tools", allowed_tools: {} } },
      "invalid_value tool_choice.type",
    ],
    ["a choice by number", { tools: [TOOL], tool_choice: 1 }, "invalid_type tool_choice"],
    ["both forms", { tools: [TOOL], functions: [FUNCTION] }, "invalid_value tools"],
    ["an old choice beside tools", { tools: [TOOL], function_call: "auto" }, "invalid_value function_call"],
    [
      "a demand in the old form",
      { functions: [FUNCTION], function_call: "required" },
      "invalid_value function_call",
    ],
  ];
  for (const [title, members, fault] of faulty) {
    it(`refuses ${title}`, () => {
      expect(listFaults(decodeWith(members))[0]).to.equal(fault);
    });
  }
});
