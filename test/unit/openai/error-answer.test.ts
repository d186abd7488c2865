import { readFileSync } from "node:fs";
import { expect } from "chai";
import { ERRORS } from "../../../src/domain/errors.ts";
import { answerRouteError, ERROR_ROWS } from "../../../src/openai/error-answer.ts";
import { makeDeployment } from "./catalog.ts";

const DOCUMENT = readFileSync(new URL("../../../docs/openai-door.md", import.meta.url), "utf8");

describe("answerRouteError", () => {
  it("has a row for each reason, and docs/openai-door.md has the same", () => {
    expect(Object.keys(ERROR_ROWS)).to.have.members(Object.keys(ERRORS));
    for (const [reason, { status, type, code, isRetryable }] of Object.entries(ERROR_ROWS)) {
      const row = `| ${reason} | ${status} | ${type} | ${code} | ${isRetryable ? "yes" : "no"} |`;
      expect(DOCUMENT).to.contain(row);
    }
  });

  it("blames the caller's credentials only where they are wrong", () => {
    const blaming = Object.entries(ERROR_ROWS).filter(([, { status }]) => status === 401 || status === 403);
    expect(blaming.map(([reason]) => reason)).to.deep.equal(["UNAUTHENTICATED", "PERMISSION_DENIED"]);
  });

  it("says that a retry is of no use where the gRPC code says so, quota and deadlines aside", () => {
    const finalCodes = ["INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "CANCELLED", "INTERNAL"];
    for (const [reason, { code }] of Object.entries(ERRORS)) {
      if (finalCodes.includes(code))
        expect(ERROR_ROWS[reason as keyof typeof ERRORS].isRetryable).to.be.false;
      if (code === "UNAVAILABLE") expect(ERROR_ROWS[reason as keyof typeof ERRORS].isRetryable).to.be.true;
    }
  });

  it("tells reason, delay and attempts in headers, and the rest in the body", () => {
    const deployment = makeDeployment("glm-4.6-flash");
    const attempt = {
      attemptNumber: 1,
      deployment,
      outcome: "rate_limit",
      purpose: "first",
      tier: "auto",
      totalMs: 5,
    } as const;
    const answer = answerRouteError({
      reason: "UPSTREAM_RATE_LIMITED",
      message: "the providers allow no more requests for now",
      retryAfterMs: 1_200.5,
      failed: { attempts: [attempt, { ...attempt, attemptNumber: 2 }] },
    });
    expect(answer.status).to.equal(429);
    expect(answer.headers).to.deep.equal({
      "content-type": "application/json",
      "x-sluice-reason": "UPSTREAM_RATE_LIMITED",
      "x-should-retry": "true",
      "x-sluice-attempts": "2",
      "retry-after": "2",
      "retry-after-ms": "1201",
    });
    expect(JSON.parse(answer.body)).to.deep.equal({
      error: {
        message: "the providers allow no more requests for now",
        type: "requests",
        param: null,
        code: "rate_limit_exceeded",
      },
    });
  });

  it("says how to authenticate on a 401, and only there", () => {
    const refused = answerRouteError({ reason: "UNAUTHENTICATED", message: "no credential" });
    expect([refused.status, refused.headers["www-authenticate"]]).to.deep.equal([401, "Bearer"]);
    const denied = answerRouteError({ reason: "PERMISSION_DENIED", message: "no scope" });
    expect(denied.headers).to.not.have.property("www-authenticate");
  });

  it("names the first violation as the parameter and all in the message", () => {
    const { body } = answerRouteError({
      reason: "INVALID_REQUEST",
      message: "the request is wrong",
      violations: [
        { field: "messages", description: "are too long" },
        { field: "tools", description: "are too many" },
      ],
    });
    expect(JSON.parse(body).error).to.include({
      message: "the request is wrong: messages are too long; tools are too many",
      param: "messages",
    });
  });
});
