import { expect } from "chai";
import fc from "fast-check";
import { trimMessages } from "../../../src/core/trim-messages.ts";
import type { Message, Role } from "../../../src/domain/request.ts";

const say = (role: Role, text: string): Message => ({ role, parts: [{ kind: "text", text }] });
const LONG = "word ".repeat(200);
const toolCalls = [{ callId: "c", name: "f", arguments: "{}" }];
const HISTORY: readonly Message[] = [
  say("system", "be brief"),
  say("user", `1 ${LONG}`),
  { role: "assistant", parts: [], toolCalls },
  { role: "tool", parts: [{ kind: "text", text: LONG }], toolCallId: "c" },
  say("assistant", "answer 1"),
  say("user", `2 ${LONG}`),
  say("assistant", "answer 2"),
  say("user", "3"),
];

const textsOf = (messages: readonly Message[]) =>
  messages.map(({ parts: [part] }) => (part?.kind === "text" ? part.text.slice(0, 8).trim() : "call"));

describe("a conversation that is too long", () => {
  it("loses its oldest turns whole, with their calls, results and answers", () => {
    const trimmed = trimMessages(HISTORY, 0, 300);
    expect(textsOf(trimmed?.messages ?? [])).to.deep.equal(["be brief", "2 word w", "answer 2", "3"]);
    const shorter = trimMessages(HISTORY, 0, 100);
    expect(textsOf(shorter?.messages ?? [])).to.deep.equal(["be brief", "3"]);
  });

  it("stays as it is where it fits, and is given up where what must stay does not", () => {
    expect(trimMessages(HISTORY, 0, 10_000)?.messages).to.deep.equal(HISTORY);
    expect(trimMessages(HISTORY, 0, 5)).to.equal(undefined);
    expect(trimMessages(HISTORY, 10_000, 10_000)).to.equal(undefined);
  });

  it("keeps the exchange of tools that is under way", () => {
    const running = HISTORY.slice(0, 4);
    expect(trimMessages(running, 0, 100)).to.equal(undefined);
    expect(trimMessages([...HISTORY.slice(5, 7), ...HISTORY.slice(1, 4)], 0, 500)?.messages).to.deep.equal(
      HISTORY.slice(1, 4),
    );
  });

  it("always keeps system and the last turn, in order, with every result beside its call (property)", () => {
    const turn = fc.array(fc.constantFrom<Role>("user", "assistant", "tool", "system"), { maxLength: 40 });
    fc.assert(
      fc.property(turn, fc.integer({ min: 1, max: 2_000 }), (roles, limit) => {
        const messages = roles.map(
          (role, index): Message =>
            role === "tool"
              ? { ...say(role, LONG.slice(0, 300)), toolCallId: `${index}` }
              : { ...say(role, LONG.slice(0, 300)), ...(roles[index + 1] === "tool" ? { toolCalls } : {}) },
        );
        const trimmed = trimMessages(messages, 0, limit);
        if (trimmed === undefined) return;
        const kept = new Set(trimmed.messages);
        expect(trimmed.messages).to.deep.equal(messages.filter((message) => kept.has(message)));
        expect(trimmed.tokens).to.be.at.most(limit);
        const last = messages.findLastIndex(({ role }) => role === "user");
        for (const [index, message] of messages.entries()) {
          if (message.role === "system" || index >= Math.max(last, 0))
            expect(kept.has(message)).to.equal(true);
          const before = messages[index - 1];
          if (message.role === "tool" && before !== undefined && before.role !== "system") {
            expect(kept.has(message)).to.equal(kept.has(before));
          }
        }
      }),
    );
  });
});
