import { expect } from "chai";
import { makeReplicaId } from "../../../src/main/open-sharing.ts";

describe("the name of a replica that was given none", () => {
  for (const [host, word] of [
    ["web-7", "web-7"],
    ["Web.Example.ORG", "web-example-org"],
    ["", "replica"],
    ["---", "replica"],
    ["ü", "replica"],
    ["a".repeat(80), "a".repeat(40)],
  ] as const) {
    it(`on ${host.slice(0, 20) || "a machine without a name"} is one that the configuration would take, and no other has it`, () => {
      const [first, second] = [makeReplicaId(host), makeReplicaId(host)];
      expect(first).to.match(/^[a-z0-9][a-z0-9-]{0,62}$/);
      expect(first.slice(0, -9)).to.equal(word);
      expect(first).not.to.equal(second);
    });
  }
});
