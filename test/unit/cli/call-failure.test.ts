import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { expect } from "chai";
import fc from "fast-check";
import { chooseExit, readCallFailure } from "../../../src/cli/call-failure.ts";
import { ERRORS, type ErrorReason } from "../../../src/domain/errors.ts";
import { encodeError } from "../../../src/service/encode-error.ts";

function makeError(code: number, metadata: Metadata): ServiceError {
  return Object.assign(new Error("text"), { code, details: "text", metadata });
}

describe("readCallFailure", () => {
  it("survives any bytes in place of the details", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 0, max: 30 }), (bytes, code) => {
        const metadata = new Metadata();
        metadata.set("grpc-status-details-bin", Buffer.from(bytes));
        const failure = readCallFailure(makeError(code, metadata));
        expect(failure.code).to.equal(code);
        expect(chooseExit(failure)).to.be.oneOf(["failure", "tryAgain", "unreachable"]);
      }),
    );
  });

  it("names codes and finds the request id in the headers where the details have none", () => {
    const headers = new Metadata();
    headers.set("x-request-id", "req-9");
    const failure = readCallFailure(makeError(14, new Metadata()), headers);
    expect(failure).to.include({ codeName: "UNAVAILABLE", requestId: "req-9", reason: undefined });
  });

  // Reasons whose code alone tells; RESOURCE_EXHAUSTED depends on the delay.
  for (const reason of Object.keys(ERRORS) as ErrorReason[]) {
    const { code } = ERRORS[reason];
    const mayRetry = code === "UNAVAILABLE" || code === "ABORTED";
    it(`exits ${mayRetry ? 75 : 1} for ${reason} without a delay`, () => {
      const status = encodeError({ reason, message: "x" }, "r");
      const failure = { ...readCallFailure(makeError(status.code, new Metadata())), reason };
      expect(chooseExit(failure)).to.equal(mayRetry ? "tryAgain" : "failure");
      expect(chooseExit({ ...failure, retryDelayMs: 100 })).to.equal("tryAgain");
    });
  }
});
