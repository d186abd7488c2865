import { expect } from "chai";
import fc from "fast-check";
import { FAILURE_CLASSES, type FailureClass } from "../../../src/domain/outcome.ts";
import {
  classifyErrorAnswer,
  classifyErrorValue,
  classifyTransportError,
} from "../../../src/providers/failures/classify-failure.ts";

const PLACE = { provider: "any", wallNowMs: 0 } as const;

type Row = readonly [status: number, error: unknown, wanted: FailureClass];

const GLM: readonly Row[] = [
  [401, { code: "1002", message: "token invalid" }, "auth"],
  [429, { code: "1112", message: "locked" }, "auth"],
  [500, { code: "1234", message: "network" }, "server_error"],
  [429, { code: "1113", message: "arrears" }, "quota_exhausted"],
  [429, { code: "1304" }, "quota_exhausted"],
  [429, { code: "1308" }, "quota_exhausted"],
  [429, { code: "1302" }, "rate_limit"],
  [429, { code: "1303" }, "rate_limit"],
  [429, { code: "1305" }, "overloaded"],
  [529, { code: "1305" }, "overloaded"],
  [429, { code: "1312" }, "overloaded"],
  [
    400,
    { code: "1210", message: "tokens in request more than max tokens allowed" },
    "context_length_exceeded",
  ],
  [400, { code: "1210", message: "输入超长" }, "context_length_exceeded"],
  [400, { code: "1210", message: "bad temperature" }, "invalid_request"],
  [400, { code: "1261" }, "context_length_exceeded"],
  [400, { code: "1301", message: "unsafe" }, "content_filter"],
  [400, { code: "1211" }, "model_unavailable"],
  [403, { code: "1220" }, "model_unavailable"],
  [400, { code: "1214" }, "invalid_request"],
  [434, {}, "model_unavailable"],
];

const OPENAI: readonly Row[] = [
  [401, { code: "invalid_api_key", type: "invalid_request_error" }, "auth"],
  [429, { code: "insufficient_quota", type: "insufficient_quota" }, "quota_exhausted"],
  [429, { code: "rate_limit_exceeded", type: "tokens" }, "rate_limit"],
  [400, { code: "context_length_exceeded", type: "invalid_request_error" }, "context_length_exceeded"],
  [
    400,
    { type: "invalid_request_error", message: "This model's maximum context length is 8" },
    "context_length_exceeded",
  ],
  [400, { code: "invalid_prompt", message: "violates our safety policy" }, "content_filter"],
  [400, { code: "invalid_prompt", message: "not a list" }, "invalid_request"],
  [400, { code: "content_policy_violation" }, "content_filter"],
  [404, { code: "model_not_found", type: "invalid_request_error" }, "model_unavailable"],
  [422, { type: "invalid_request_error" }, "invalid_request"],
  [503, { code: "slow_down" }, "overloaded"],
  [500, { type: "server_error" }, "server_error"],
];

const BARE: readonly Row[] = [
  [301, undefined, "server_error"],
  [400, undefined, "invalid_request"],
  [401, undefined, "auth"],
  [402, undefined, "quota_exhausted"],
  [403, undefined, "model_unavailable"],
  [404, undefined, "model_unavailable"],
  [408, undefined, "timeout"],
  [413, undefined, "invalid_request"],
  [418, undefined, "invalid_request"],
  [429, undefined, "rate_limit"],
  [499, undefined, "server_error"],
  [500, undefined, "server_error"],
  [502, undefined, "server_error"],
  [503, undefined, "overloaded"],
  [504, undefined, "timeout"],
  [529, undefined, "overloaded"],
];

describe("classifyErrorAnswer", () => {
  for (const [status, error, wanted] of [...GLM, ...OPENAI, ...BARE]) {
    it(`takes ${status} with ${JSON.stringify(error) ?? "no body"} for ${wanted}`, () => {
      const failure = classifyErrorAnswer(status, error ? JSON.stringify({ error }) : "", undefined, PLACE);
      expect(failure).to.include({ class: wanted, httpStatus: status });
    });
  }

  it("looks for the reason in what the host said, where OpenRouter has none of its own", () => {
    const classOf = (message: string, raw: unknown) => {
      const body = JSON.stringify({ error: { code: 400, message, metadata: { provider_name: "X", raw } } });
      return classifyErrorAnswer(400, body, undefined, { ...PLACE, provider: "openrouter" }).class;
    };
    const long = { error: { message: "This model's maximum context length is 8192 tokens.", code: 400 } };
    for (const raw of [JSON.stringify(long), long, long.error.message]) {
      expect(classOf("Provider returned error", raw)).to.equal("context_length_exceeded");
      expect(classOf("No such parameter", raw)).to.equal("invalid_request");
    }
    for (const raw of [undefined, null, "", "{", 7, [], {}]) {
      expect(classOf("Provider returned error", raw)).to.equal("invalid_request");
    }
  });

  it("takes the page of a firewall for a server error and other pages by their status", () => {
    expect(classifyErrorAnswer(405, "<!DOCTYPE html>", undefined, PLACE).class).to.equal("server_error");
    expect(classifyErrorAnswer(405, "{}", undefined, PLACE).class).to.equal("invalid_request");
    expect(classifyErrorAnswer(502, "<html>context window</html>", undefined, PLACE).class).to.equal(
      "server_error",
    );
  });

  it("reads errors in every shape", () => {
    for (const body of [
      '{"error":{"code":"1113"}}',
      '{"code":"1113","msg":"x"}',
      '{"code":1113}',
      '[{"error":{"code":"1113"}}]',
      '{"error":{"type":"insufficient_quota"}}',
    ]) {
      expect(classifyErrorAnswer(429, body, undefined, PLACE).class).to.equal("quota_exhausted");
    }
  });

  it("keeps the wish to wait and a clean code, and no text of the provider", () => {
    const classify = (code: string) =>
      classifyErrorAnswer(429, JSON.stringify({ error: { code, message: "my password" } }), 1_500, PLACE);
    const plain = { class: "rate_limit", httpStatus: 429, retryAfterMs: 1_500 };
    expect(classify("rate_limit_exceeded")).to.deep.equal({ ...plain, providerCode: "rate_limit_exceeded" });
    for (const text of ["my secret prompt", "x".repeat(65), "line\nbreak", "<b>"]) {
      expect(classify(text), text).to.deep.equal(plain);
    }
  });

  it("gives one of the classes and a clean code for anything at all", () => {
    const bodies = fc.oneof(
      fc.json(),
      fc.string(),
      fc.json().map((json) => `{"error":${json}}`),
    );
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), bodies, (status, body) => {
        const failure = classifyErrorAnswer(status, body, undefined, PLACE);
        expect(FAILURE_CLASSES).to.include(failure.class);
        if (failure.providerCode !== undefined)
          expect(failure.providerCode).to.match(/^[A-Za-z0-9_.-]{1,64}$/);
      }),
    );
  });
});

describe("classifyErrorValue", () => {
  const cases: readonly [unknown, FailureClass][] = [
    [{ code: "server_is_overloaded" }, "overloaded"],
    [{ code: 429, message: "slow", metadata: { error_type: "rate_limit_exceeded" } }, "rate_limit"],
    [{ code: 502, message: "host failed" }, "server_error"],
    [{ code: 403 }, "model_unavailable"],
    [{ type: "overloaded_error" }, "overloaded"],
    [{ code: "1301" }, "content_filter"],
    [{ message: "maximum context length is 8" }, "context_length_exceeded"],
    [{ code: "what" }, "server_error"],
    ["text", "server_error"],
    [7, "server_error"],
  ];
  for (const [error, wanted] of cases) {
    it(`takes ${JSON.stringify(error)} inside a 200 for ${wanted}`, () => {
      expect(classifyErrorValue(error, 200, "any")).to.include({ class: wanted, httpStatus: 200 });
    });
  }
});

describe("classifyTransportError", () => {
  const withCode = (code: string) => Object.assign(new Error("10.0.0.1 said no"), { code });

  it("takes a connection that cannot be had for a network failure", () => {
    for (const code of [
      "ECONNREFUSED",
      "ENOTFOUND",
      "EAI_AGAIN",
      "ECONNRESET",
      "UND_ERR_SOCKET",
      "CERT_HAS_EXPIRED",
    ]) {
      expect(classifyTransportError(withCode(code))).to.deep.equal({ class: "network" });
    }
  });

  it("names the timer when connecting took too long", () => {
    for (const code of ["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT"]) {
      expect(classifyTransportError(withCode(code))).to.deep.equal({ class: "timeout", timer: "connect" });
    }
  });

  it("takes an answer that is no HTTP for a server error, and anything else for the network's", () => {
    const parserError = Object.assign(new Error("Expected HTTP/"), { name: "HTTPParserError" });
    expect(classifyTransportError(parserError)).to.deep.equal({ class: "server_error" });
    expect(classifyTransportError(withCode("UND_ERR_HEADERS_OVERFLOW"))).to.deep.equal({
      class: "server_error",
    });
    expect(classifyTransportError("odd")).to.deep.equal({ class: "network" });
  });
});
