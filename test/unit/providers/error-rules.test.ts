import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { FailureClass } from "../../../src/domain/outcome.ts";
import { classifyErrorAnswer, classifyErrorValue } from "../../../src/providers/failures/classify-failure.ts";
import type { RuleProvider } from "../../../src/providers/failures/error-rules.ts";

/** One documented error; see the fixture's note. */
interface KnownError {
  readonly provider: string;
  readonly http?: readonly number[];
  readonly code?: readonly string[];
  readonly type?: readonly string[];
  readonly message_regex?: string;
  readonly requires?: Readonly<Record<string, boolean | readonly string[]>>;
  readonly where: string;
  readonly cls: FailureClass;
}

const FILE = new URL("../../fixtures/error-rules.json", import.meta.url);
const KNOWN: readonly KnownError[] = JSON.parse(readFileSync(FILE, "utf8")).rules;

const PROVIDERS: Readonly<Record<string, RuleProvider>> = { "gemini-openai": "gemini", generic: "any" };

/** A text that the first alternative of a simple pattern finds. */
function writeMessage(pattern = ""): string {
  return (pattern.split("|")[0] ?? "").replace(/\(\w+\)\?/g, "").replace(/\(\w+ \)\?/g, "");
}

function writeMetadata(requires: KnownError["requires"]): Readonly<Record<string, unknown>> {
  const members: Record<string, unknown> = {};
  for (const [key, wanted] of Object.entries(requires ?? {})) {
    const first = typeof wanted === "boolean" ? "" : (wanted[0] ?? "");
    if (key === "metadata_has_any") members[first] = ["x"];
    else if (key.startsWith("metadata.")) members[key.slice("metadata.".length)] = first;
  }
  return members;
}

/** The errors that a rule is about, as its provider writes them. */
function writeErrors(known: KnownError): readonly unknown[] {
  const message = writeMessage(known.message_regex);
  const metadata = writeMetadata(known.requires);
  if (known.provider === "ollama") return [message];
  const codes = known.code ?? [undefined];
  return codes.map((code) => {
    const [type] = known.type ?? [];
    if (known.provider === "openrouter") {
      return { code: known.http?.[0], message, metadata: { ...metadata, ...(code && { error_type: code }) } };
    }
    if (known.provider === "gemini-openai") return { code: known.http?.[0], message, status: code };
    return { message, ...(code && { code }), ...(type && { type }), ...(metadata && { metadata }) };
  });
}

/** A 403 without any code may be the model, the region or a firewall: we do not blame the credential for it. */
function isBareForbidden({ http, code, type, message_regex, requires, cls }: KnownError): boolean {
  const isBare = [code, type, message_regex, requires].every((each) => each === undefined);
  return isBare && cls === "auth" && http?.includes(403) === true;
}

describe("the table of failures", () => {
  // 499 is a proxy's word for "the client left"; we did not, so it is a failure of the server.
  const answered = KNOWN.filter(
    (known) => known.where.startsWith("response") && known.cls !== "cancelled" && !isBareForbidden(known),
  );

  it("is tried with every documented error of an answer", () => {
    expect(answered.length).to.be.greaterThan(100);
  });

  for (const [index, known] of answered.entries()) {
    const provider = PROVIDERS[known.provider] ?? (known.provider as RuleProvider);
    const named = known.code?.join(", ") ?? known.type?.join(", ") ?? known.message_regex ?? "no code";
    it(`${index + 1}: takes ${known.http ?? "any status"} with ${named} of ${known.provider} for ${known.cls}`, () => {
      for (const error of writeErrors(known)) {
        for (const status of known.http ?? [400]) {
          const body = JSON.stringify({ error });
          const failure = classifyErrorAnswer(status, body, undefined, { provider, wallNowMs: 0 });
          expect(failure.class, body).to.equal(known.cls);
        }
        if (!known.where.includes("stream")) continue;
        expect(classifyErrorValue({ error }, 200, provider).class).to.equal(known.cls);
      }
    });
  }

  it("keeps a row that others contradict to its own provider", () => {
    const classify = (provider: RuleProvider) =>
      classifyErrorAnswer(502, '{"error":"x"}', undefined, { provider, wallNowMs: 0 }).class;
    expect(classify("ollama")).to.equal("model_unavailable");
    expect(classify("openai")).to.equal("server_error");
  });

  it("reads from GLM's message when a used-up allowance comes back, in Beijing's time", () => {
    const wallNowMs = Date.parse("2026-01-02T03:00:00Z");
    const error = { code: "1308", message: "Usage limit reached, resets at 2026-01-02 11:30:00" };
    const classify = (told: number | undefined) =>
      classifyErrorAnswer(429, JSON.stringify({ error }), told, { provider: "zhipu", wallNowMs });
    expect(classify(undefined)).to.include({ class: "quota_exhausted", retryAfterMs: 1_800_000 });
    expect(classify(5)).to.include({ retryAfterMs: 5 });
  });
});
