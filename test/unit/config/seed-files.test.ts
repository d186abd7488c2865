import { expect } from "chai";

import { expectConfig, listProblems, loadText } from "./memory-files.ts";
import { targetsYaml } from "./targets-yaml.ts";

/** A whole file of the seed, below a key of ours. */
function paste(section: string, name: string, text: string): string {
  const indented = text.replaceAll(/^(?=.)/gm, "    ");
  return `${section}:\n  ${name}:\n${indented}`;
}

/** Seed 001, configs/llms/groups/fast_group.yaml, as it is printed there. */
const FAST_GROUP = `name: "fast_group"
description: "快速响应任务组"

echelon1:
  models: ["openai-gpt4", "anthropic-claude-3-opus"]
  concurrency_limit: 10
  rpm_limit: 100
  priority: 1
  timeout: 30
  max_retries: 3
  temperature: 0.7
  max_tokens: 2000

# 降级配置
fallback_config:
  strategy: "echelon_down"
  fallback_groups: ["fast_group.echelon2", "fast_group.echelon3"]
  max_attempts: 3
  retry_delay: 1.0
  circuit_breaker:
    failure_threshold: 5
    recovery_time: 60
    half_open_requests: 1
`;

/** The echelons that the seed's fallbacks name and its excerpt leaves out. */
const LOWER_ECHELONS = `echelon2: { models: ["anthropic-claude-3-opus"] }
echelon3: { models: ["openai-gpt4"] }
`;

/** Seed 001, configs/llms/polling_pools/fast_pool.yaml, as it is printed there. */
const FAST_POOL = `name: "fast_pool"
description: "快速响应任务专用轮询池"

task_groups: ["fast_group"]
rotation_strategy: "round_robin"
health_check_interval: 30
failure_threshold: 3
recovery_time: 60

# 轮询池专用降级策略
fallback_config:
  strategy: "instance_rotation"
  max_instance_attempts: 2
`;

/** Seed 001's wrapper configuration, as YAML. */
const FAST_WRAPPER = `target: "fast_group.echelon1"
fallback_groups: ["fast_group.echelon2", "fast_group.echelon3"]
`;

const MODELS_001 = ["openai-gpt4", "anthropic-claude-3-opus"];

/** Seed 003's config/llm_settings.yaml by the mapping of docs/configuration.md. */
const ROLES_FILE = `providers:
  openrouter:
    kind: openai
    base_url: https://openrouter.ai/api/v1
    api_key: \${OPENROUTER_API_KEY}
models:
MODELS
chains:
  default_chain:
    roles:
      primary: ["meta-llama/llama-3.2-1b-instruct", "microsoft/phi-3-mini-128k-instruct"]
      duplicate: ["meta-llama/llama-3.2-3b-instruct", "microsoft/wizardlm-2-8x22b"]
      reserve: ["google/gemma-2-27b-it", "mistralai/mistral-small-24b-instruct-2501"]
      fallback: ["kwaipilot/kat-coder-pro:free", "undi95/remm-slerp-l2-13b"]
    selection: fastest
    strategy: "best_of_two"
defaults:
  target: meta-llama/llama-3.2-1b-instruct
  strategy: "best_of_two"
routing:
  timeouts: { total: 200s }
  retry: { max_retries: 1 }
`;

const MODELS_003 = [
  "meta-llama/llama-3.2-1b-instruct",
  "microsoft/phi-3-mini-128k-instruct",
  "meta-llama/llama-3.2-3b-instruct",
  "microsoft/wizardlm-2-8x22b",
  "google/gemma-2-27b-it",
  "mistralai/mistral-small-24b-instruct-2501",
  "kwaipilot/kat-coder-pro:free",
  "undi95/remm-slerp-l2-13b",
];

describe("files of other programs", () => {
  const group = paste("groups", "fast_group", FAST_GROUP + LOWER_ECHELONS);

  it("a task group loads as it was pasted", () => {
    const { targets } = expectConfig(loadText(targetsYaml(group, MODELS_001)));
    expect(targets.groups[0]).to.deep.equal({
      name: "fast_group",
      description: "快速响应任务组",
      rotation: "adaptive",
      echelons: [
        {
          name: "echelon1",
          priority: 1,
          models: ["openai-gpt4", "anthropic-claude-3-opus"],
          settings: {
            concurrencyLimit: 10,
            rpmLimit: 100,
            timeoutMs: 30_000,
            maxRetries: 3,
            temperature: 0.7,
            maxOutputTokens: 2_000,
          },
        },
        { name: "echelon2", priority: 2, models: ["anthropic-claude-3-opus"], settings: {} },
        { name: "echelon3", priority: 3, models: ["openai-gpt4"], settings: {} },
      ],
      fallback: {
        strategy: "echelon_down",
        targets: ["fast_group.echelon2", "fast_group.echelon3"],
        maxAttempts: 3,
        retryDelayMs: 1_000,
        breaker: { kind: "counting", failureThreshold: 5, recoveryTimeMs: 60_000, halfOpenRequests: 1 },
      },
    });
  });

  it("a task group that names echelons it has not is told which", () => {
    const lines = listProblems(loadText(targetsYaml(paste("groups", "fast_group", FAST_GROUP), MODELS_001)));
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include(
      'groups.fast_group.fallback_config.fallback_groups[0] names a target "fast_group.echelon2" that is not there; right would be "fast_group.echelon1" (did you mean that?)',
    );
  });

  it("a polling pool loads as it was pasted", () => {
    const text = group + paste("pools", "fast_pool", FAST_POOL);
    expect(expectConfig(loadText(targetsYaml(text, MODELS_001))).targets.pools).to.deep.equal([
      {
        name: "fast_pool",
        description: "快速响应任务专用轮询池",
        members: ["fast_group"],
        rotation: "round_robin",
        weights: {},
        healthCheckIntervalMs: 30_000,
        breaker: { kind: "counting", failureThreshold: 3, recoveryTimeMs: 60_000, halfOpenRequests: 1 },
        fallback: { strategy: "instance_rotation", maxInstanceAttempts: 2 },
      },
    ]);
  });

  it("a wrapper loads as an alias", () => {
    const text = group + paste("aliases", "fast_wrapper", FAST_WRAPPER);
    expect(expectConfig(loadText(targetsYaml(text, MODELS_001))).targets.aliases).to.deep.equal([
      {
        name: "fast_wrapper",
        target: "fast_group.echelon1",
        fallbacks: ["fast_group.echelon2", "fast_group.echelon3"],
      },
    ]);
  });

  it("model roles, strategy and default model load by the documented mapping", () => {
    const models = MODELS_003.map(
      (name) =>
        `  - { name: "${name}", context_window_tokens: 8192, max_output_tokens: 4096, deployments: [{ provider: openrouter }] }`,
    );
    const text = ROLES_FILE.replace("MODELS", models.join("\n"));
    const { targets, routing } = expectConfig(loadText(text, { env: { OPENROUTER_API_KEY: "sk-or-v1" } }));
    const [chain] = targets.chains;
    expect(chain).to.include({ selection: "fastest", strategy: "best_of_two" });
    expect(chain?.roles.map(({ role }) => role)).to.deep.equal([
      "primary",
      "duplicate",
      "reserve",
      "fallback",
    ]);
    expect(chain?.roles.flatMap((role) => role.models)).to.deep.equal(MODELS_003);
    expect(targets.defaults).to.include({ target: MODELS_003[0], strategy: "best_of_two" });
    expect(routing.timeouts.totalMs).to.equal(200_000);
    expect(routing.retry.maxRetries).to.equal(1);
  });
});
