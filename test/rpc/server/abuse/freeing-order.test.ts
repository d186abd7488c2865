import { join } from "node:path";
import { expect } from "chai";
import { startProgram } from "../../../support/run-program.ts";

describe("connections that end in the middle of a header block", () => {
  it("are freed in order when the garbage is collected", async () => {
    const script = join(import.meta.dirname, "open-header-blocks.ts");
    const { code, out, err } = await startProgram([process.execPath, "--expose-gc", script, "10"]).ended;
    expect(err).to.equal("");
    expect(out).to.equal("100 connections\n");
    expect(code).to.equal(0);
  }).timeout(60_000);
});
