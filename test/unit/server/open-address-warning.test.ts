import { expect } from "chai";
import { warnOfOpenAddresses } from "../../../src/server/open-address-warning.ts";
import { MemoryLogger } from "../../support/start-test-server.ts";

describe("the warning of open addresses", () => {
  for (const [host, warned] of [
    ["0.0.0.0", "0.0.0.0:1"],
    ["::", "[::]:1"],
    ["10.0.0.1", "10.0.0.1:1"],
    ["sluice.example", "sluice.example:1"],
    ["127.0.0.1.example", "127.0.0.1.example:1"],
    ["127.0.0.1", undefined],
    ["127.1.2.3", undefined],
    ["::1", undefined],
    ["localhost", undefined],
  ] as const) {
    it(`is ${warned === undefined ? "not " : ""}given for ${host}`, () => {
      const logger = new MemoryLogger();
      warnOfOpenAddresses([undefined, { host, port: 1 }], logger);
      expect(logger.lines.map(({ level, address }) => ({ level, address }))).to.deep.equal(
        warned === undefined ? [] : [{ level: "warn", address: warned }],
      );
    });
  }

  it("says that there is no authentication", () => {
    const logger = new MemoryLogger();
    warnOfOpenAddresses([{ host: "::", port: 1 }], logger);
    expect(logger.lines[0]?.message).to.contain("it asks for no credentials");
  });
});
