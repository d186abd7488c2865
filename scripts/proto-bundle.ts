/**
 * Puts the contract where others can take it: the .proto files, one binary image of all
 * of them, and a README. `node scripts/proto-bundle.ts [FOLDER]`; without one: dist/proto.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folder = resolve(process.argv[2] ?? join(ROOT, "dist/proto"));
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync(join(ROOT, "proto"), folder, { recursive: true });
// A FileDescriptorSet with everything imported, for tools that read no .proto files.
const buf = join(ROOT, "node_modules/.bin/buf");
execFileSync(buf, ["build", "proto", "--as-file-descriptor-set", "-o", join(folder, "sluice.binpb")], {
  cwd: ROOT,
  stdio: "inherit",
});

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
  .toSorted();
writeFileSync(join(folder, "README.md"), renderReadme(files));
console.log(`${files.length + 1} files are in ${folder}`);

function renderReadme(names: readonly string[]): string {
  const sums = names.map((name) => {
    const sum = createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
    return `${sum}  ${name}`;
  });
  return `# The contract of Sluice ${version}

The package is \`sluice.v1\`: \`RouterService\` and \`ModelService\`. Fields, methods and enum values are added and never
changed or taken away; what would break a client becomes \`sluice.v2\`.

- \`sluice/v1/*.proto\`: for \`protoc -I .\`, \`buf generate\` and every build tool. They import nothing but
  \`google/protobuf/*.proto\`, which every protobuf compiler brings along.
- \`sluice.binpb\`: the same as one \`google.protobuf.FileDescriptorSet\` with its imports, for tools such as
  \`grpcurl -protoset sluice.binpb\` or \`buf curl --schema sluice.binpb\`. A server with reflection needs neither.

Errors carry \`google.rpc.ErrorInfo\`, \`BadRequest\`, \`RetryInfo\` and others of googleapis' \`error_details.proto\`.

SHA-256 (\`sha256sum -c\` reads these lines):

\`\`\`text
${sums.join("\n")}
\`\`\`
`;
}
