import { expect } from "chai";
import { FAILURE_POLICIES, judgeOutcome } from "../../../src/core/failure-policy.ts";
import { ERRORS } from "../../../src/domain/errors.ts";
import { FAILURE_CLASSES } from "../../../src/domain/outcome.ts";

describe("the table of failures", () => {
  // One row a class, written out again: a changed cell must be changed on purpose, here too.
  const rows = {
    auth: ["other_provider", "ignore", "FAILED_PRECONDITION"],
    invalid_request: ["nowhere", "ignore", "INVALID_ARGUMENT"],
    context_length_exceeded: ["larger_context", "ignore", "INVALID_ARGUMENT"],
    content_filter: ["nowhere", "ignore", "INVALID_ARGUMENT"],
    rate_limit: ["any", "ignore", "RESOURCE_EXHAUSTED"],
    quota_exhausted: ["other_provider", "ignore", "RESOURCE_EXHAUSTED"],
    model_unavailable: ["any", "failure", "UNAVAILABLE"],
    server_error: ["any", "failure", "UNAVAILABLE"],
    overloaded: ["any", "failure", "UNAVAILABLE"],
    timeout: ["any", "failure", "UNAVAILABLE"],
    network: ["any", "failure", "UNAVAILABLE"],
    stream_interrupted: ["any", "failure", "UNAVAILABLE"],
    cancelled: ["nowhere", "ignore", "CANCELLED"],
  } as const;
  for (const failureClass of FAILURE_CLASSES) {
    it(`${failureClass}: ${rows[failureClass].join(", ")}`, () => {
      const { fallback, health, reason } = FAILURE_POLICIES[failureClass];
      expect([fallback, health, ERRORS[reason].code]).to.deep.equal(rows[failureClass]);
    });
  }

  it("never blames the caller's credentials for ours", () => {
    const codes = FAILURE_CLASSES.map((each) => ERRORS[FAILURE_POLICIES[each].reason].code);
    expect(codes).to.not.include.members(["UNAUTHENTICATED", "PERMISSION_DENIED"]);
  });

  it("lets superseded and local attempts say nothing about health", () => {
    expect(
      ["success", "superseded", "local", "cancelled"].map((o) => judgeOutcome(o as "local")),
    ).to.deep.equal(["success", "ignore", "ignore", "ignore"]);
  });
});
