import { expect } from "chai";
import fc from "fast-check";

import { catalogYaml, listProblems, loadText, memoryFiles } from "./memory-files.ts";

const openAi = (rest: string) => catalogYaml({ provider: `{ kind: openai, ${rest} }` });
const simulator = (rest: string) => catalogYaml({ provider: `{ kind: simulator, ${rest} }` });

describe("problems of the configuration", () => {
  /** What the file says, and for each problem its place, field and what is wrong. */
  const cases: [string, string, string[]][] = [
    ["an unknown section", "servers: {}", ["1:1: servers is not a key that Sluice knows"]],
    ["an unknown key", "server:\n  adress: x", ["2:3: server.adress is not a key that Sluice knows"]],
    ["a list for a map", "server: []", ["1:9: server is an empty list"]],
    ["a list for the file", "- server", ["1:1: the file is a list"]],
    [
      "a bare number for a duration",
      "server: { max_timeout: 30 }",
      ["1:24: server.max_timeout is a number without a unit"],
    ],
    [
      "a number in text for a duration",
      'server: { max_timeout: "30" }',
      ["1:24: server.max_timeout is a number without a unit"],
    ],
    [
      "a duration out of range",
      "routing: { timeouts: { idle: 0s } }",
      ["1:30: routing.timeouts.idle is too short"],
    ],
    [
      "a size out of range",
      "server: { max_header_bytes: 2MiB }",
      ["1:29: server.max_header_bytes is too large"],
    ],
    [
      "a size that is no size",
      "server: { max_header_bytes: [] }",
      ["1:29: server.max_header_bytes is an empty list"],
    ],
    ["text for a whole number", "routing: { max_attempts: many }", ["1:26: routing.max_attempts is text"]],
    [
      "a fraction for a whole number",
      "routing: { max_attempts: 1.5 }",
      ["1:26: routing.max_attempts is 1.5"],
    ],
    [
      "a secret of digits, which is not repeated",
      "nats: { token: 87654321 }",
      ["1:16: nats.token is a number without quotes"],
    ],
    ["a number out of range", "routing: { max_attempts: 0 }", ["1:26: routing.max_attempts is 0"]],
    ["text for a boolean", "server: { reflection: yes }", ["1:23: server.reflection is text"]],
    [
      "an unknown level",
      "telemetry: { log_level: loud }",
      ["1:25: telemetry.log_level is none of the choices"],
    ],
    [
      "a timeout over the limit",
      "server:\n  max_timeout: 1m",
      [
        "1:1: server.default_timeout is longer than max_timeout",
        "1:1: server.default_stream_timeout is longer than max_timeout",
      ],
    ],
    [
      "half of TLS",
      "server: { tls: { private_key_file: k } }",
      [
        "1:11: server.tls.certificate_file is missing",
        "1:36: server.tls.private_key_file names a file that is not there",
      ],
    ],
    [
      "models without providers",
      "models: []",
      ["1:1: models is given without providers", "1:9: models is an empty list"],
    ],
    [
      "providers without models",
      "providers: { p: { kind: simulator } }",
      ["1:1: providers is given without models"],
    ],
    ["a provider without kind", catalogYaml({ provider: "{}" }), ["2:3: providers.p.kind is missing"]],
    [
      "an unknown kind",
      catalogYaml({ provider: "{ kind: cohere }" }),
      ["3:13: providers.p.kind is none of the choices"],
    ],
    [
      "a provider without value",
      "providers:\n  p:\nmodels:\n",
      ["1:1: providers is given without models", "2:5: providers.p has no value"],
    ],
    [
      "a provider's odd name",
      "providers:\n  a b: { kind: simulator }\nmodels: []",
      ['2:3: providers["a b"] has a name that is not right', "3:9: models is an empty list"],
    ],
    [
      "a base URL with credentials",
      openAi("base_url: 'https://u:sk-secret@x'"),
      ["3:31: providers.p.base_url has credentials in it"],
    ],
    [
      "a key beside a key file",
      openAi("base_url: 'https://x', api_key: k, api_key_file: f"),
      [
        "3:70: providers.p.api_key_file is given beside api_key",
        "3:70: providers.p.api_key_file names a file that is not there",
      ],
    ],
    ["an empty key", openAi("base_url: 'https://x', api_key: ''"), ["3:53: providers.p.api_key is empty"]],
    ["a ratio over 1", simulator("hang_ratio: 1.1"), ["3:36: providers.p.hang_ratio is 1.1"]],
    [
      "shares over 1",
      simulator("hang_ratio: 0.5, failure_ratio: 0.6"),
      ["3:56: providers.p.failure_ratio is more than 1 together with hang_ratio and cut_ratio"],
    ],
    [
      "a key of the other kind",
      simulator("base_url: x"),
      ["3:24: providers.p.base_url is not a key that Sluice knows"],
    ],
    [
      "a tier out of range",
      catalogYaml({ model: "tiers: { cost: 6 }" }),
      ["8:20: models[0].tiers.cost is 6"],
    ],
    [
      "an unknown task",
      catalogYaml({ model: "task_suitability: { poetry: 1 }" }),
      ["8:25: models[0].task_suitability.poetry is not a key that Sluice knows"],
    ],
    [
      "a price of ten decimals",
      catalogYaml({ model: "price_usd_per_million_tokens: { input: 0.1234567891, output: 1 }" }),
      ["8:44: models[0].price_usd_per_million_tokens.input has more than 9 decimals"],
    ],
    [
      "a price with too many digits",
      catalogYaml({ model: "price_usd_per_million_tokens: { input: 0.07000000000000000001, output: 1 }" }),
      ["8:44: models[0].price_usd_per_million_tokens.input has more digits than a number can keep"],
    ],
    [
      "half a price",
      catalogYaml({ model: "price_usd_per_million_tokens: { input: 1 }" }),
      ["8:5: models[0].price_usd_per_million_tokens.output is missing"],
    ],
    [
      "a description of two lines",
      catalogYaml({ model: 'description: "a\\nb"' }),
      ["8:18: models[0].description does not fit"],
    ],
    [
      "a long description",
      catalogYaml({ model: `description: ${"x".repeat(501)}` }),
      ["8:18: models[0].description does not fit"],
    ],
    [
      "an override of the model",
      catalogYaml({ deployment: "request_overrides: { model: x }" }),
      ["11:37: models[0].deployments[0].request_overrides.model cannot be overridden"],
    ],
    [
      "an infinite number",
      catalogYaml({ deployment: "request_overrides: { x: .inf }" }),
      ["11:33: models[0].deployments[0].request_overrides.x is not finite"],
    ],
    [
      "thinking at a provider that cannot be told",
      catalogYaml({ deployment: "thinking: false\n        parameters: { thinking: true }" }),
      [
        "11:9: models[0].deployments[0].thinking means nothing to a provider of kind simulator",
        "12:23: models[0].deployments[0].parameters.thinking means nothing to a provider of kind simulator",
      ],
    ],
    [
      "an id with a space",
      catalogYaml({ deployment: "id: a b" }),
      ["11:13: models[0].deployments[0].id does not fit"],
    ],
    [
      "an unknown provider",
      catalogYaml({ deployment: "id: x\n      - provider: zzz" }),
      ['12:19: models[0].deployments[1].provider names a provider "zzz" that is not there'],
    ],
    [
      "a repeated id",
      catalogYaml({ deployment: "id: x\n      - { provider: p, id: x }" }),
      ["12:28: models[0].deployments[1].id has the id of an earlier deployment"],
    ],
    [
      "a repeated deployment",
      catalogYaml({ deployment: "id: p/m\n      - provider: p" }),
      ["12:9: models[0].deployments[1] has the id of an earlier deployment"],
    ],
    [
      "a repeated key",
      "server:\n  reflection: true\n  reflection: false",
      ["3:3: server.reflection is given twice"],
    ],
    ["a key that is no key", "__proto__: { x: 1 }", ["1:1: __proto__ cannot be a key"]],
    ["a tab", "server:\n\treflection: true", ["2:1: the file has a tab as indentation"]],
    ["an open bracket", "server: {a", ["1:11: the file"]],
    ["two documents", "server:\n---\nserver:", ["2:1: the file has more than one document"]],
    [
      "a tag",
      "server: !secret x",
      ["1:9: the file has a tag that Sluice does not know", "1:17: server is text"],
    ],
    ["an alias without an anchor", "server: *x", ["1:9: server is an alias without an anchor"]],
    ["an alias of itself", "server: &x [*x]", ["is nested too deep"]],
    ["a key that is a list", "? [a]\n: 1", ["1:3: the file has a key that is no text"]],
  ];
  for (const [what, text, expected] of cases) {
    it(`say what is wrong with ${what}`, () => {
      const lines = listProblems(loadText(text));
      expect(lines, lines.join("\n")).to.have.length(expected.length);
      for (const [index, words] of expected.entries()) expect(lines[index]).to.include(words);
    });
  }

  const suggestions: [string, string][] = [
    ["server: { adress: x }", '"address" (did you mean that?)'],
    ["server: { maxTimeout: 1s }", '"max_timeout" (did you mean that?)'],
    ["telemetry: { colour: red }", "one of log_level"],
    [catalogYaml({ provider: "{ kind: openai, base-url: 'https://x' }" }), '"base_url" (did you mean that?)'],
    [catalogYaml({ deployment: "id: x\n      - provider: pp" }), '"p" (did you mean that?)'],
    [catalogYaml({ deployment: "id: x\n      - provider: zzz" }), 'one of "p"'],
  ];
  for (const [text, words] of suggestions) {
    it(`suggest ${words}`, () => {
      expect(listProblems(loadText(text)).join("\n")).to.include(`right would be ${words}`);
    });
  }

  it("come all at once, in the order of the file", () => {
    const text = `server:
  adress: x
  max_timeout: 5
  drain_timeout: \${MISSING}
providers:
  p: { kind: openai, base_url: nothing, api_key_file: none }
models:
  - { name: m, context_window_tokens: 1, max_output_tokens: 2, deployments: [{ provider: q }] }
  - { name: m, deployments: [] }
telemetry: { log_level: loud }
`;
    const result = loadText(text, {
      files: memoryFiles({ "/project/sluice.yaml": text, "/project/.env": "oops" }),
      env: { SLUICE_ADDRESS: "x" },
    });
    expect(
      listProblems(result).map((line) => line.split(/ (?:is|has|needs|names|may|does) /)[0]),
    ).to.deep.equal([
      ".env:1: the file",
      "sluice.yaml:2:3: server.adress",
      "sluice.yaml:3:16: server.max_timeout",
      "sluice.yaml:4:18: server.drain_timeout",
      "sluice.yaml:6:32: providers.p.base_url",
      "sluice.yaml:6:55: providers.p.api_key_file",
      "sluice.yaml:8:61: models[0].max_output_tokens",
      "sluice.yaml:8:90: models[0].deployments[0].provider",
      "sluice.yaml:9:5: models[1].context_window_tokens",
      "sluice.yaml:9:5: models[1].max_output_tokens",
      "sluice.yaml:9:13: models[1].name",
      "sluice.yaml:9:29: models[1].deployments",
      "sluice.yaml:10:25: telemetry.log_level",
      "environment: SLUICE_ADDRESS",
    ]);
  });

  it("never hold a secret, whatever field it was put in", () => {
    const fields = [
      "server: { address: V }",
      "server: { max_timeout: V, max_header_bytes: V, reflection: V, drain_delay: V }",
      "server: { tls: { certificate_file: V, private_key_file: V } }",
      "telemetry: { log_level: V }",
      "routing: { max_attempts: V }",
      "V",
      "- V",
      openAi("base_url: V, api_key: V, api_key_file: V"),
      openAi("base_url: 'https://x', api_key: 'V'"),
      catalogYaml({ provider: "{ kind: V }" }),
      catalogYaml({ deployment: "id: V\n      - { provider: V, upstream_model: V, concurrency_limit: V }" }),
      catalogYaml({ model: "price_usd_per_million_tokens: { input: V, output: V }" }),
      catalogYaml({ model: "price_usd_per_million_tokens: V" }),
    ];
    for (const secret of [
      "sk secret\u20ac",
      "https://u:sk-secret@host/?sk-secret",
      "sk-secret",
      "987654321",
    ]) {
      for (const field of fields) {
        const env = { V: secret };
        const text = field.replaceAll(/'?\bV\b'?/g, `'\${V}'`);
        const result = loadText(text, { env });
        const words = [...listProblems(result), ...(result.ok ? result.notices : [])].join("\n");
        expect(words, text).not.to.match(/sk.secret|987654321/);
      }
    }
  });

  it("never repeat broken YAML", () => {
    for (const text of [
      "api_key: 'sk-secret",
      "a: b: sk-secret",
      "a: sk-secret\n  b",
      "- a\nsk-secret: b",
      "a: @sk-secret",
      "a: {sk-secret",
      'a: "\\sk-secret"',
      "a: *sk-secret",
      "!sk-secret a",
    ]) {
      expect(listProblems(loadText(text)).join("\n"), text)
        .not.to.equal("")
        .and.not.to.include("sk-secret");
    }
  });

  it("take the place of exceptions for any text", () => {
    const pieces = fc.constantFrom(
      "server",
      "models",
      "providers",
      ":",
      " ",
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      "&a",
      "*a",
      "<<",
      "!!set",
      "'",
      '"',
      "#",
      "|",
      ">",
      "${",
      "}",
      "__proto__",
      "kind",
      "openai",
      "1e999",
      "~",
      "\t",
      "? ",
      "---",
      "\u0000",
      "\ufeff",
      "constructor",
    );
    const garbage = fc.oneof(
      fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        expect(loadText(text)).to.have.property("ok");
      }),
      { numRuns: 80 },
    );
  });

  it("take the place of exceptions for well-formed nonsense", () => {
    const key = fc.constantFrom(
      "server",
      "models",
      "providers",
      "p",
      "kind",
      "deployments",
      "provider",
      "routing",
      "timeouts",
      "toString",
      "x",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(null, true, 1, -0.5, "openai", "simulator", "1s", ""),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value), (document) => {
        expect(loadText(JSON.stringify(document))).to.have.property("ok");
      }),
      { numRuns: 80 },
    );
  });

  it("end the growth of aliases and depth", () => {
    const laughs = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
    for (let level = 1; level < 9; level++) {
      laughs.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(",")}]`,
      );
    }
    expect(listProblems(loadText(laughs.join("\n"))).join()).to.include("too many aliases");
    expect(listProblems(loadText("[".repeat(200)))).to.have.length(1);
    expect(listProblems(loadText("- ".repeat(300))).length).to.be.greaterThan(0);
  });
});
