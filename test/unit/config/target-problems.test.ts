import { expect } from "chai";
import fc from "fast-check";

import { assembleTargets } from "../../../src/config/assemble-targets.ts";
import { configSchema } from "../../../src/config/schema/config-schema.ts";
import { resolveTarget } from "../../../src/core/candidates/resolve-target.ts";
import { listTargets } from "../../../src/core/candidates/target-catalog.ts";
import { sampleModel } from "../../support/sample-catalog.ts";
import { listProblems, loadText } from "./memory-files.ts";
import { targetsYaml } from "./targets-yaml.ts";

const group = (rest: string) => `groups: { g: { echelon1: { models: [m1] }, ${rest} } }`;

describe("problems of targets", () => {
  /** What the file says, and for each problem its field with what is wrong and what would be right. */
  const cases: [string, string, string[]][] = [
    [
      "a group without echelons",
      "groups: { g: { description: x } }",
      ["groups.g.echelon1 is missing; right would be at least one echelon"],
    ],
    ["a group without value", "groups: { g: }", ["groups.g has no value; right would be a map"]],
    [
      "an empty map of echelons",
      "groups: { g: { echelons: {} } }",
      ["groups.g.echelon1 is missing; right would be at least one echelon"],
    ],
    [
      "echelons in both places",
      group("echelons: { echelon2: { models: [m1] } }"),
      ["groups.g.echelons is given beside echelon1; right would be only one of the two"],
    ],
    [
      "an echelon's odd name",
      "groups: { g: { echelons: { top: { models: [m1] } } } }",
      ["groups.g.echelons.top has a name that is not right; right would be echelon1, echelon2 and so on"],
    ],
    [
      "a misspelt echelon",
      group("eschelon2: { models: [m1] }"),
      ["groups.g.eschelon2 is not a key that Sluice knows"],
    ],
    [
      "an unknown key of an echelon",
      "groups: { g: { echelon7: { models: [m1], time_out: 3s } } }",
      [
        'groups.g.echelon7.time_out is not a key that Sluice knows; right would be "timeout" (did you mean that?)',
      ],
    ],
    [
      "an echelon without models",
      "groups: { g: { echelon1: {} } }",
      ["groups.g.echelon1.models is missing; right would be a list of 1 to 1000 names of `models`"],
    ],
    [
      "an empty echelon",
      "groups: { g: { echelon1: { models: [] } } }",
      ["groups.g.echelon1.models is an empty list"],
    ],
    [
      "wrong figures of an echelon, all of them",
      "groups: { g: { echelon1: { models: [m1], timeout: soon, temperature: 3, max_retries: -1, rpm_limit: 0, max_tokens: 0 } } }",
      [
        "timeout is not a duration; right would be a duration with its unit (ms, s, m or h) or a number of seconds",
        "temperature is 3; right would be a number from 0 to 2",
        "max_retries is -1",
        "rpm_limit is 0",
        "max_tokens is 0",
      ],
    ],
    [
      "an unknown strategy",
      group("fallback: { strategy: up }"),
      ["groups.g.fallback.strategy is none of the choices"],
    ],
    [
      "too many attempts",
      group("fallback: { max_attempts: 11 }"),
      ["groups.g.fallback.max_attempts is 11; right would be a whole number from 1 to 10"],
    ],
    [
      "a negative delay",
      group("fallback: { retry_delay: -1 }"),
      ["groups.g.fallback.retry_delay is not a duration"],
    ],
    [
      "both names of the fallback",
      group("fallback: {}, fallback_config: {}"),
      ["groups.g.fallback_config is given beside fallback"],
    ],
    [
      "both names of its targets",
      group("fallback: { targets: [m1], fallback_groups: [m2] }"),
      ["groups.g.fallback.fallback_groups is given beside targets"],
    ],
    [
      "a switch to no group",
      group("fallback: { strategy: task_group_switch }"),
      ["groups.g.fallback.targets is missing; right would be at least one other group to switch to"],
    ],
    [
      "a switch to the group itself",
      group("fallback_config: { strategy: task_group_switch, fallback_groups: [g.echelon1] }"),
      ["groups.g.fallback_config.fallback_groups names only the group itself"],
    ],
    [
      "another name than the key",
      group("name: h"),
      ['groups.g.name is not the key of its entry; right would be "g"'],
    ],
    [
      "a reserved name",
      "groups: { auto: { echelon1: { models: [m1] } } }",
      ["groups.auto has a name that is not right"],
    ],
    [
      "an unknown model",
      "groups: { g: { echelon1: { models: [m1, mm2] } } }",
      [
        'groups.g.echelon1.models[1] names a model "mm2" that is not there; right would be "m2" (did you mean that?)',
      ],
    ],
    [
      "a provider where models stand",
      "chains: { c: { roles: { primary: [p] } } }",
      [
        'chains.c.roles.primary[0] names "p", what is no model but a provider; right would be the name of a model',
      ],
    ],
    [
      "a pool without members",
      "pools: { x: {} }",
      ["pools.x.members is missing; right would be a list of names"],
    ],
    ["a pool of nothing", "pools: { x: { members: [] } }", ["pools.x.members is an empty list"]],
    [
      "both names of members",
      "pools: { x: { members: [m1], task_groups: [m1], rotation: fixed, rotation_strategy: fixed } }",
      ["pools.x.task_groups is given beside members", "pools.x.rotation_strategy is given beside rotation"],
    ],
    [
      "weights that nothing uses",
      "pools: { x: { members: [m1], weights: { m1: 2 } } }",
      ["pools.x.weights is given without the rotation weighted"],
    ],
    [
      "weights of what is not there",
      "pools: { x: { members: [m1], rotation_strategy: weighted, weights: { p/m1: 1, m4: 2, m2: -1 } } }",
      [
        'pools.x.weights.m4 is no model and no deployment; right would be "m1" (did you mean that?)',
        "pools.x.weights.m2 is -1",
      ],
    ],
    [
      "checks that are too frequent",
      "pools: { x: { members: [m1], health_check_interval: 10ms } }",
      [
        "pools.x.health_check_interval is too short; right would be a duration with its unit (ms, s, m or h) or a number of seconds, from 1s to 24h; or off",
      ],
    ],
    [
      "a pool of a pool that leads back",
      "pools: { x: { members: [y] }, y: { members: [m1, x] } }",
      [
        'pools.y.members[1] leads back to itself: "x" → "y" → "x"; right would be references that end at models',
      ],
    ],
    [
      "a chain without roles",
      "chains: { c: {} }",
      ["chains.c.roles is missing; right would be a map (role: [models]) or a list"],
    ],
    ["a chain of no roles", "chains: { c: { roles: {} } }", ["chains.c.roles is empty"]],
    ["roles as text", "chains: { c: { roles: m1 } }", ["chains.c.roles is text"]],
    [
      "an empty role",
      "chains: { c: { roles: { primary: [] } } }",
      ["chains.c.roles.primary is an empty list"],
    ],
    [
      "a role twice",
      "chains: { c: { roles: [{ role: a, models: [m1] }, { role: a, models: [m2] }] } }",
      ["chains.c.roles[1].role is the role of an earlier entry; right would be each role once"],
    ],
    [
      "an unknown key of a role",
      "chains: { c: { roles: [{ role: a, model: [m1] }] } }",
      [
        "chains.c.roles[0].models is missing",
        'chains.c.roles[0].model is not a key that Sluice knows; right would be "models"',
      ],
    ],
    [
      "a numbered role",
      'chains: { c: { roles: { "1": [m1] } } }',
      ["chains.c.roles.1 has a name that is not right"],
    ],
    [
      "an alias of nothing",
      "aliases: { a: { target: m4 } }",
      ['aliases.a.target names a target "m4" that is not there; right would be "m1" (did you mean that?)'],
    ],
    [
      "an alias of itself",
      "aliases: { a: { target: a } }",
      ['aliases.a.target leads back to itself: "a" → "a"'],
    ],
    [
      "an alias that leads back through a group",
      `aliases: { a: { target: g } }\n${group("fallback: { targets: [a] }")}`,
      ['leads back to itself: "'],
    ],
    [
      "an alias that leads back through a pool",
      "aliases: { a: { target: x } }\npools: { x: { members: [a] } }",
      ["leads back to itself: "],
    ],
    [
      "an alias of a provider without models",
      "aliases: { a: { target: idle } }",
      ["aliases.a stands for no deployment; right would be something that at least one model is part of"],
    ],
    [
      "an unknown default",
      "defaults: { target: m }",
      ['defaults.target names a target "m" that is not there'],
    ],
    [
      "a default that cannot serve",
      "defaults: { target: idle }",
      ["defaults.target stands for no deployment"],
    ],
    ["an unknown task", "defaults: { task_type: poetry }", ["defaults.task_type is none of the choices"]],
    [
      "an alias with a model's name",
      "aliases: { m1: { target: m2 } }",
      ["aliases.m1 has a name that a model has too; right would be a name of its own"],
    ],
    [
      "a pool with a group's name",
      `${group("")}\npools: { g: { members: [m1] } }`,
      ["pools.g has a name that a group has too"],
    ],
    [
      "a chain with a provider's name",
      "chains: { p: { roles: { primary: [m1] } } }",
      ["chains.p has a name that a provider has too"],
    ],
    [
      "an alias with an echelon's name",
      `${group("")}\naliases: { g.echelon1: { target: m2 } }`,
      ["groups.g.echelon1 has a name that an alias has too"],
    ],
  ];
  for (const [what, text, expected] of cases) {
    it(`say what is wrong with ${what}`, () => {
      const lines = listProblems(loadText(targetsYaml(text)));
      expect(lines, lines.join("\n")).to.have.length(expected.length);
      for (const [index, words] of expected.entries()) expect(lines[index]).to.include(words);
    });
  }

  it("a provider and a model cannot have one name, and no provider can be called auto", () => {
    const model =
      "{ name: x, context_window_tokens: 9, max_output_tokens: 9, deployments: [{ provider: x }] }";
    const text = `providers: { x: { kind: simulator }, auto: { kind: simulator } }\nmodels: [${model}]`;
    expect(listProblems(loadText(text)).map((line) => line.split(";")[0])).to.deep.equal([
      "sluice.yaml:1:14: providers.x has a name that a model has too",
      "sluice.yaml:1:38: providers.auto has a name that is reserved for the router's own choice",
    ]);
  });

  it("are not guessed at where the catalog itself is broken", () => {
    const text = `providers: { p: { kind: simulator } }\nmodels: [{ nmae: m1 }]\n${group("")}\ndefaults: { target: m9 }`;
    expect(listProblems(loadText(text)).join("\n")).not.to.include("that is not there");
    const half = `models: [{ name: m1 }]\n${group("")}\ndefaults: { target: m9 }`;
    expect(listProblems(loadText(half)).join("\n")).not.to.include("that is not there");
  });

  it("come together with those of other sections", () => {
    const text = `groups: { g: { echelon1: { models: [m9], timeout: x }, fallback: { targets: [gg] } } }
aliases: { a: { target: 5 }, b: { target: nowhere } }
server: { adress: x }`;
    expect(
      listProblems(loadText(targetsYaml(text))).map((line) => line.split(/ (?:is|names) /)[0]?.split(" ")[1]),
    ).to.deep.equal([
      "groups.g.echelon1.models[0]",
      "groups.g.echelon1.timeout",
      "groups.g.fallback.targets[0]",
      "aliases.a.target",
      "aliases.b.target",
      "server.adress",
    ]);
  });

  it("never hold what came from the environment", () => {
    const text = `groups: { g: { name: "\${V}", description: "\${V}", echelon1: { models: ["\${V}"], timeout: "\${V}" }, fallback: { strategy: "\${V}", targets: ["\${V}"] } } }
pools: { x: { members: ["\${V}"], rotation: "\${V}", health_check_interval: "\${V}" } }
chains: { c: { roles: { primary: ["\${V}"] }, selection: "\${V}" }, d: { roles: [{ role: "\${V}", models: "\${V}" }] } }
aliases: { a: { target: "\${V}", fallbacks: ["\${V}"] } }
defaults: { target: "\${V}", task_type: "\${V}" }
routing: { best_of_two: { judge: "\${V}" }, breaker: { preset: "\${V}" }, retry: { on: ["\${V}"] } }`;
    for (const secret of ["sk-secret", "sk secret\u20ac", "987654321"]) {
      const lines = listProblems(loadText(targetsYaml(text), { env: { V: secret } }));
      expect(lines.length).to.be.greaterThan(10);
      expect(lines.join("\n")).not.to.match(/sk.secret|987654321/);
    }
  });

  it("are found in long ways round without deep recursion", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `a${index}`);
    const aliases = names.map((name, index) => `  ${name}: { target: ${names[index + 1] ?? "x0"} }`);
    const pools = names.map(
      (_, index) => `  x${index}: { members: [${index < 999 ? `x${index + 1}` : "LAST"}] }`,
    );
    const text = targetsYaml(`aliases:\n${aliases.join("\n")}\npools:\n${pools.join("\n")}\n`);
    expect(listProblems(loadText(text.replace("LAST", "m1")))).to.deep.equal([]);
    const lines = listProblems(loadText(text.replace("LAST", "a0")));
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include('leads back to itself: "');
    const tooMany = `aliases: { ${Array.from({ length: 1_001 }, (_, index) => `b${index}: { target: m1 }`).join(", ")} }`;
    expect(listProblems(loadText(targetsYaml(tooMany))).join()).to.include("aliases has too many entries");
  }).timeout(10_000);

  it("leave only what the router can resolve, for any web of references", () => {
    const models = ["m1", "m2"].map((name) => sampleModel(name, { providers: ["p"] }));
    const anything = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("m1", "m2", "p", "auto", "g1", "g2.echelon1", "c1") },
      { weight: 6, arbitrary: fc.constantFrom("x1", "x2", "a1", "a2", "a3", "idle") },
      { weight: 1, arbitrary: fc.constantFrom("zzz", "g1.echelon2") },
    );
    const model = fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom("m1", "m2") },
      { weight: 1, arbitrary: fc.constantFrom("p", "g1", "zzz") },
    );
    const some = (item: fc.Arbitrary<string>) => fc.array(item, { minLength: 1, maxLength: 2 });
    const group = fc.record({
      echelon1: fc.record({ models: some(model) }),
      fallback: fc.record(
        { strategy: fc.constantFrom("echelon_down", "task_group_switch"), targets: some(anything) },
        { requiredKeys: ["strategy", "targets"] },
      ),
    });
    const pool = fc.record({ members: some(anything) });
    const chain = fc.record({ roles: fc.record({ primary: some(model) }) });
    const alias = fc.record({ target: anything, fallbacks: some(anything) }, { requiredKeys: ["target"] });
    // Now and then a name is another thing's.
    const rarely = <T>(item: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 29, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: item });
    const file = fc.record({
      groups: fc.record({ g1: group, g2: group }),
      pools: fc.record({ x1: pool, x2: pool, a1: rarely(pool) }),
      chains: fc.record({ c1: chain, m1: rarely(chain) }),
      aliases: fc.record({ a1: alias, a2: alias, a3: alias }),
    });
    let goodCount = 0;
    fc.assert(
      fc.property(file, (drawn) => {
        const document = JSON.parse(JSON.stringify(drawn)) as object;
        const lines = listProblems(loadText(targetsYaml(`# ours\n`, ["m1", "m2"]) + writeSections(document)));
        if (lines.length > 0) return;
        goodCount += 1;
        const catalog = {
          models,
          providers: ["p", "idle"],
          targets: assembleTargets(configSchema.parse(document)),
        };
        for (const { name } of listTargets(catalog).filter((entry) => entry.name !== "idle")) {
          expect(resolveTarget(name, catalog).kind, name).to.equal("resolved");
        }
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(goodCount).to.be.greaterThan(20);
  }).timeout(10_000);
});

function writeSections(document: object): string {
  return Object.entries(document)
    .map(([section, value]) => `${section}: ${JSON.stringify(value)}\n`)
    .join("");
}
