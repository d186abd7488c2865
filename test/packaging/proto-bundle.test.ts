import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";

const ROOT = join(import.meta.dirname, "../..");

describe("the bundle of the contract", function () {
  this.timeout(30_000);

  let folder = "";

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-proto-"));
    execFileSync(process.execPath, [join(ROOT, "scripts/proto-bundle.ts"), folder], { stdio: "pipe" });
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("holds every .proto file as it is in the repository", () => {
    const names = readdirSync(join(folder, "sluice/v1")).toSorted();
    expect(names).to.deep.equal(readdirSync(join(ROOT, "proto/sluice/v1")).toSorted()).and.not.be.empty;
    for (const name of names) {
      const path = `sluice/v1/${name}`;
      expect(readFileSync(join(folder, path), "utf8")).to.equal(
        readFileSync(join(ROOT, "proto", path), "utf8"),
      );
    }
  });

  it("has an image that stands alone and describes the services that are served", () => {
    const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(folder, "sluice.binpb")));
    const registry = createFileRegistry(set);
    for (const served of [RouterService, ModelService]) {
      const described = registry.getService(served.typeName);
      expect(described?.methods.map(({ name }) => name)).to.deep.equal(
        served.methods.map(({ name }) => name),
      );
    }
  });

  it("says of each file which bytes it must have", () => {
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    const lines = [...readme.matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gm)];
    const protos = readdirSync(join(ROOT, "proto/sluice/v1")).map((name) => `sluice/v1/${name}`);
    expect(lines.map(([, , name]) => name)).to.have.members(["sluice.binpb", ...protos]);
    for (const [, sum, name = ""] of lines) {
      expect(
        createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex"),
        name,
      ).to.equal(sum);
    }
  });
});
