/** Writes schema/sluice.schema.json and docs/configuration.md from the schema in src/config. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { renderConfigDocs } from "../src/config/render-config-docs.ts";
import { configJsonSchema } from "../src/config/schema/json-schema.ts";

const root = new URL("../", import.meta.url);
const schemaFile = new URL("schema/sluice.schema.json", root);
writeFileSync(schemaFile, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
writeFileSync(new URL("docs/configuration.md", root), `${renderConfigDocs()}\n`);

// The repository's formatter has its own idea of arrays.
const biome = fileURLToPath(new URL("node_modules/.bin/biome", root));
execFileSync(biome, ["format", "--write", fileURLToPath(schemaFile)], { stdio: "inherit" });
