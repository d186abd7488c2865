import { type Message, toBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import { attemptsFailedError } from "../../../src/core/route-errors.ts";
import type { AttemptRecord } from "../../../src/domain/attempt.ts";
import { ERRORS, type ErrorReason } from "../../../src/domain/errors.ts";
import { encodeError, type RpcStatus } from "../../../src/service/encode-error.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

function detail(status: RpcStatus, typeName: string): Message | undefined {
  return status.details.find(({ desc }) => desc.typeName === typeName)?.value;
}

describe("errors on the wire", () => {
  for (const reason of Object.keys(ERRORS) as ErrorReason[]) {
    it(`${reason} carries ErrorInfo, RequestInfo and one detail of each type`, () => {
      const status = encodeError({ reason, message: "m", metadata: { a: "b" } }, "r-1");
      expect(status.code).to.be.within(1, 16);
      expect(detail(status, "google.rpc.ErrorInfo")).to.include({ reason, domain: "sluice" });
      expect(detail(status, "google.rpc.RequestInfo")).to.include({ requestId: "r-1" });
      const names = status.details.map(({ desc }) => desc.typeName);
      expect(new Set(names).size).to.equal(names.length);
      expect(reason).to.match(/^[A-Z][A-Z_]{1,62}$/);
    });
  }

  it("tells when to come back, in RetryInfo and as pushback", () => {
    const status = encodeError({ reason: "UPSTREAM_RATE_LIMITED", message: "m", retryAfterMs: 1_500.2 }, "r");
    expect(detail(status, "google.rpc.RetryInfo")).to.deep.include({
      retryDelay: { $typeName: "google.protobuf.Duration", seconds: 1n, nanos: 501_000_000 },
    });
    expect(status.trailers).to.deep.equal({ "grpc-retry-pushback-ms": "1501" });
  });

  it("tells a client's retry policy to stay away when every candidate was tried", () => {
    const error = attemptsFailedError([record("server_error")], { committed: false, namedModel: undefined });
    expect(encodeError(error, "r").trailers).to.deep.equal({ "grpc-retry-pushback-ms": "-1" });
    expect(encodeError({ reason: "INVALID_REQUEST", message: "m" }, "r").trailers).to.deep.equal({});
  });

  it("lists the last attempts and counts them all, in less than 4 KiB", () => {
    const attempts = Array.from({ length: 30 }, () => record("overloaded"));
    const status = encodeError(
      attemptsFailedError(attempts, { committed: false, namedModel: undefined }),
      "r",
    );
    const failure = detail(status, "sluice.v1.GenerationFailure") as Message & { attempts: unknown[] };
    expect(failure).to.include({ attemptCount: 30 });
    expect(failure.attempts).to.have.length(8);
    const bytes = status.details.reduce((sum, { desc, value }) => sum + toBinary(desc, value).length, 0);
    expect(bytes).to.be.below(4_096);
  });
});

function record(outcome: AttemptRecord["outcome"]): AttemptRecord {
  const [deployment] = sampleModel("m").deployments;
  if (deployment === undefined) throw new Error("a sample model has a deployment");
  return { attemptNumber: 1, deployment, outcome, purpose: "first", tier: "auto", totalMs: 12.5 };
}
