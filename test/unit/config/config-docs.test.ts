import { readFileSync } from "node:fs";

import { expect } from "chai";
import { parse } from "yaml";
import { fromJSONSchema } from "zod";

import { loadConfig } from "../../../src/config/load-config.ts";
import { renderConfigDocs } from "../../../src/config/render-config-docs.ts";
import { configJsonSchema } from "../../../src/config/schema/json-schema.ts";
import type { SchemaNode } from "../../../src/config/schema/schema-node.ts";
import { expectConfig, loadText, memoryFiles } from "./memory-files.ts";

const readRepositoryFile = (path: string) =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const REGENERATE = "run: node scripts/write-config-docs.ts";

/** Every key of the schema with its node and its path. */
function listKeys(node: SchemaNode, path = ""): [string, string, SchemaNode][] {
  const inner = [
    node.items,
    node.additionalProperties,
    ...Object.values(node.patternProperties ?? {}),
    ...(node.oneOf ?? []),
    ...(node.anyOf ?? []),
  ];
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]): [string, string, SchemaNode][] => [
      [key, `${path}.${key}`, child],
      ...listKeys(child, `${path}.${key}`),
    ]),
    ...inner.flatMap((child) => (typeof child === "object" ? listKeys(child, path) : [])),
  ];
}

describe("the published schema, docs and example", () => {
  const example = readRepositoryFile("sluice.example.yaml");

  it("schema/sluice.schema.json is what the code says", () => {
    const published: unknown = JSON.parse(readRepositoryFile("schema/sluice.schema.json"));
    expect(JSON.stringify(published), REGENERATE).to.equal(JSON.stringify(configJsonSchema()));
  });

  it("docs/configuration.md is what the code says", () => {
    expect(readRepositoryFile("docs/configuration.md"), REGENERATE).to.equal(`${renderConfigDocs()}\n`);
  });

  it("explains every key", () => {
    for (const [, path, node] of listKeys(configJsonSchema())) {
      expect(node.description, path).to.be.a("string").and.not.equal("");
    }
  });

  it("gives a title, examples and variables to editors", () => {
    const schema = configJsonSchema();
    expect(schema).to.include({ title: "Sluice configuration", additionalProperties: false });
    const server = schema.properties?.server?.properties;
    expect(server?.max_timeout).to.deep.include({ default: "1h", examples: ["250ms", "30s", "2m"] });
    const attempts = schema.properties?.routing?.properties?.max_attempts;
    expect(attempts?.type).to.deep.equal(["integer", "string"]);
    const timeout = new RegExp(server?.max_timeout?.pattern ?? "^$", "u");
    for (const text of ["30s", "1.5 h", `\${T}`, `\${T:-30s}`]) expect(text).to.match(timeout);
    for (const text of ["30", "soon", ""]) expect(text).not.to.match(timeout);
  });

  it("has defaults that the loader takes", () => {
    // A section that may be left out as a whole has no default, whatever its fields have.
    const defaults = (node: SchemaNode, isRoot = false): unknown =>
      node.properties === undefined || (node.default === undefined && !isRoot)
        ? node.default
        : Object.fromEntries(
            Object.entries(node.properties)
              .map(([key, child]): [string, unknown] => [key, defaults(child)])
              .filter(([, value]) => value !== undefined),
          );
    const written = expectConfig(loadText(JSON.stringify(defaults(configJsonSchema(), true))));
    expect(written).to.deep.equal(expectConfig(loadText("")));
  });

  it("has an example for editors that names every key", () => {
    expect(example).to.match(/^# yaml-language-server: \$schema=\.\/schema\/sluice\.schema\.json\n/);
    for (const [key, path] of listKeys(configJsonSchema())) {
      expect(example, path).to.match(new RegExp(`^\\s*(?:# +)*(?:- )?${key}:`, "m"));
    }
  });

  it("has an example that its own schema takes, and takes no other keys", () => {
    const checker = fromJSONSchema(JSON.parse(JSON.stringify(configJsonSchema())));
    const document: unknown = parse(example);
    expect(checker.safeParse(document).error?.issues).to.equal(undefined);
    expect(checker.safeParse({ ...(document as object), servers: {} }).success).to.equal(false);
    expect(checker.safeParse({ server: { max_timeout: 30 } }).success).to.equal(false);
    const group = (echelon: object) => ({ groups: { g: { echelon1: { models: ["m"], ...echelon } } } });
    expect(checker.safeParse(group({ timeout: 30 })).success).to.equal(true);
    expect(checker.safeParse(group({ timeout: "soon" })).success).to.equal(false);
    expect(checker.safeParse(group({ models: [] })).success).to.equal(false);
    const chain = (roles: unknown) => ({ chains: { c: { roles } } });
    expect(checker.safeParse(chain({ primary: ["m"] })).success).to.equal(true);
    expect(checker.safeParse(chain([{ role: "primary", models: ["m"] }])).success).to.equal(true);
    expect(checker.safeParse(chain("m")).success).to.equal(false);
  });

  it("has an example that loads, and shows the defaults", () => {
    const load = (text: string, env = {}) =>
      loadConfig({
        env: { GLM_API_KEY: "id.secret", ...env },
        folder: "/project",
        files: memoryFiles({
          "/project/sluice.yaml": text,
          "/project/tls/server.crt": "-----BEGIN CERTIFICATE-----",
          "/project/tls/server.key": "-----BEGIN PRIVATE KEY-----",
          "/run/secrets/local-api-key": "key",
        }),
      });
    const config = expectConfig(load(example));
    const { server, routing, telemetry, targets: defaults } = expectConfig(loadText(""));
    // One provider shows that it may have a retry strategy of its own.
    expect([...config.routing.providerRetry.keys()]).to.deep.equal(["glm"]);
    const shown = { ...config.routing, providerRetry: routing.providerRetry };
    expect({ server: config.server, routing: shown, telemetry: config.telemetry }).to.deep.equal({
      server,
      routing,
      telemetry,
    });
    expect(config.targets.defaults).to.deep.equal(defaults.defaults);
    expect(config.targets.groups.map(({ name }) => name)).to.deep.equal(["fast_group", "spare_group"]);
    expect(config.models.map(({ name }) => name)).to.deep.equal(["glm-4.6-flash", "qwen3"]);
    const whole = example.replaceAll(/^( +)# (tls:| {2}\w+_file:|api_key_file:)/gm, "$1$2");
    expect(expectConfig(load(whole)).server.tls?.certificateFile).to.equal("/project/tls/server.crt");
  });
});
