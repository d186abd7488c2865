import { expect } from "chai";

import type { OpenAiProviderConfig } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load-config.ts";
import { DEFAULT_SERVER_LIMITS } from "../../../src/config/server-limits.ts";
import { ALL_PARAMETERS } from "../../../src/domain/parameter-rules.ts";
import { catalogYaml, expectConfig, listProblems, loadText, memoryFiles } from "./memory-files.ts";

describe("loading the configuration", () => {
  it("gives every setting a safe default", () => {
    const { server, routing, telemetry, targets, deploymentLimits } = expectConfig(loadText(""));
    expect(server).to.deep.equal({
      address: { host: "127.0.0.1", port: 50_051 },
      adminAddress: { host: "127.0.0.1", port: 9_464 },
      tls: undefined,
      adminTls: false,
      reflection: true,
      maxRequestBytes: 16 * 2 ** 20,
      maxHeaderBytes: 16 * 2 ** 10,
      defaultTimeoutMs: 120_000,
      defaultStreamTimeoutMs: 600_000,
      maxTimeoutMs: 3_600_000,
      drainDelayMs: 0,
      drainTimeoutMs: 30_000,
      limits: DEFAULT_SERVER_LIMITS,
    });
    expect(routing).to.deep.equal({
      maxAttempts: 3,
      timeouts: { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 600_000 },
      breaker: { kind: "adaptive" },
      maxWaitingAttempts: 256,
      performanceTracking: true,
      retry: {
        maxRetries: 1,
        baseDelayMs: 500,
        maxDelayMs: 8_000,
        multiplier: 2,
        jitterRatio: 0.25,
        retryClasses: new Set(["rate_limit", "server_error", "overloaded", "network", "stream_interrupted"]),
      },
      providerRetry: new Map(),
      budgets: { extra: { ratio: 0.2, perSecond: 3 }, hedges: { ratio: 0.05, perSecond: 0 } },
      hedging: { enabled: true, minDelayMs: 800 },
      weights: {
        speed: { quality: 0.2, latency: 0.7, cost: 0.1 },
        quality: { quality: 0.75, latency: 0.15, cost: 0.1 },
        cost: { quality: 0.2, latency: 0.1, cost: 0.7 },
        balanced: { quality: 0.4, latency: 0.3, cost: 0.3 },
      },
      contextOverflow: "fail",
      bestOfTwo: { judge: undefined, judgeTimeoutMs: 10_000 },
    });
    expect(targets).to.deep.equal({
      groups: [],
      pools: [],
      chains: [],
      aliases: [],
      defaults: { target: undefined, strategy: "single", taskType: undefined },
    });
    expect(deploymentLimits.size).to.equal(0);
    expect(telemetry).to.deep.equal({ logLevel: "info" });
  });

  it("takes sections and keys without a value as left out", () => {
    const config = expectConfig(loadText("server:\n  address:\nproviders:\nmodels:\nrouting:\n  breaker:\n"));
    expect(config.server.address.port).to.equal(50_051);
    expect(config.models).to.have.length(10);
  });

  it("reads every section of the server", () => {
    const files = memoryFiles({
      "/etc/sluice/s.yaml": `server:
  address: "[::1]:1"
  admin_address: off
  tls: { certificate_file: c.pem, private_key_file: /k.pem }
  reflection: false
  max_request_bytes: 4096
  max_header_bytes: 2KiB
  default_timeout: 1s
  default_stream_timeout: 2s
  max_timeout: 3s
  drain_delay: 4s
  drain_timeout: 5s`,
      "/etc/sluice/c.pem": "-----BEGIN CERTIFICATE-----",
      "/k.pem": "-----BEGIN PRIVATE KEY-----",
    });
    const result = loadConfig({ file: "/etc/sluice/s.yaml", env: {}, folder: "/project", files });
    expect(expectConfig(result).server).to.deep.equal({
      address: { host: "::1", port: 1 },
      adminAddress: undefined,
      tls: { certificateFile: "/etc/sluice/c.pem", privateKeyFile: "/k.pem" },
      adminTls: false,
      reflection: false,
      maxRequestBytes: 4_096,
      maxHeaderBytes: 2_048,
      defaultTimeoutMs: 1_000,
      defaultStreamTimeoutMs: 2_000,
      maxTimeoutMs: 3_000,
      drainDelayMs: 4_000,
      drainTimeoutMs: 5_000,
      limits: DEFAULT_SERVER_LIMITS,
    });
  });

  it("derives what a deployment leaves out", () => {
    const [model] = expectConfig(loadText(catalogYaml())).models;
    expect(model?.deployments).to.deep.equal([
      {
        id: "p/m",
        model: "m",
        provider: "p",
        upstreamModel: "m",
        simulated: true,
        requestOverrides: {},
        concurrencyLimit: undefined,
        capabilities: model?.capabilities,
        parameters: ALL_PARAMETERS,
      },
    ]);
    expect(model).to.deep.include({
      description: "",
      tiers: { speed: 3, quality: 3, cost: 3 },
      price: undefined,
      taskSuitability: {},
    });
  });

  it("keeps prices exactly, whether numbers or text", () => {
    const model = 'price_usd_per_million_tokens: { input: 0.07, output: "2.200000001", cached_input: 1e-9 }';
    expect(expectConfig(loadText(catalogYaml({ model }))).models[0]?.price).to.deep.equal({
      inputNanoUsd: 70_000_000,
      outputNanoUsd: 2_200_000_001,
      cachedInputNanoUsd: 1,
    });
  });

  it("keeps request overrides as they are written, null included", () => {
    const deployment = "request_overrides: { a: null, b: [1, { c: 30 }], d: no }";
    const [model] = expectConfig(loadText(catalogYaml({ deployment }))).models;
    expect(model?.deployments[0]?.requestOverrides).to.deep.equal({ a: null, b: [1, { c: 30 }], d: "no" });
  });

  describe("which file", () => {
    const files = memoryFiles({
      "/project/sluice.yaml": "telemetry: { log_level: debug }",
      "/project/a.yaml": "telemetry: { log_level: warn }",
      "/b.yaml": "telemetry: { log_level: error }",
    });
    const cases: [
      string,
      string,
      { file?: string; env: Record<string, string>; folder: string },
      string,
      string | undefined,
    ][] = [
      [
        "--config",
        "over everything",
        { file: "a.yaml", env: { SLUICE_CONFIG: "/b.yaml" }, folder: "/project" },
        "warn",
        "a.yaml",
      ],
      [
        "SLUICE_CONFIG",
        "over sluice.yaml",
        { env: { SLUICE_CONFIG: "/b.yaml" }, folder: "/project" },
        "error",
        "/b.yaml",
      ],
      [
        "sluice.yaml",
        "when it is there",
        { env: { SLUICE_CONFIG: "" }, folder: "/project" },
        "debug",
        "sluice.yaml",
      ],
      ["no file", "when none is there", { env: {}, folder: "/other" }, "info", undefined],
    ];
    for (const [what, when, options, level, file] of cases) {
      it(`takes ${what} ${when}`, () => {
        const result = loadConfig({ ...options, files });
        expect(expectConfig(result).telemetry.logLevel).to.equal(level);
        expect(result.file).to.equal(file);
      });
    }

    it("refuses a named file that is not there or cannot be read", () => {
      expect(listProblems(loadConfig({ file: "no.yaml", env: {}, folder: "/project", files }))).to.deep.equal(
        ["no.yaml: the file is not there; right would be the path of a readable YAML file"],
      );
      const broken = memoryFiles({ "/project/sluice.yaml": { kind: "unreadable", why: "is a folder" } });
      expect(listProblems(loadConfig({ env: {}, folder: "/project", files: broken }))).to.deep.equal([
        "sluice.yaml: the file is a folder; right would be the path of a readable YAML file",
      ]);
    });
  });

  describe("which setting", () => {
    const text =
      "server: { address: '127.0.0.1:1', admin_address: '127.0.0.1:2' }\ntelemetry: { log_level: debug }";
    const env = { SLUICE_ADDRESS: "0.0.0.0:3", SLUICE_ADMIN_ADDRESS: "off", SLUICE_LOG_LEVEL: "warn" };

    it("takes the environment over the file", () => {
      const { server, telemetry } = expectConfig(loadText(text, { env }));
      expect(server.address).to.deep.equal({ host: "0.0.0.0", port: 3 });
      expect(server.adminAddress).to.equal(undefined);
      expect(telemetry.logLevel).to.equal("warn");
    });

    it("takes the command line over the environment", () => {
      const overrides = { address: "[::]:4", adminAddress: "127.0.0.1:5", logLevel: "silent" };
      const { server, telemetry } = expectConfig(loadText(text, { env, overrides }));
      expect(server.address).to.deep.equal({ host: "::", port: 4 });
      expect(server.adminAddress).to.deep.equal({ host: "127.0.0.1", port: 5 });
      expect(telemetry.logLevel).to.equal("silent");
    });

    it("names the variable or flag that is wrong", () => {
      const result = loadText("", { env: { ...env, SLUICE_LOG_LEVEL: "loud" }, overrides: { address: "x" } });
      expect(listProblems(result)).to.have.length(2);
      expect(listProblems(result)[0]).to.match(/^command line: --address is not an address with a port; /);
      expect(listProblems(result)[1]).to.match(/^environment: SLUICE_LOG_LEVEL is not a level; /);
    });

    it("refuses one address for callers and operators", () => {
      expect(listProblems(loadText("", { env: { SLUICE_ADDRESS: "127.0.0.1:9464" } }))[0]).to.include(
        "server.admin_address is the same as server.address",
      );
    });

    it("takes the real environment over .env, and .env where a variable is unset", () => {
      const files = memoryFiles({ "/project/.env": "SLUICE_ADDRESS=h:1\nSLUICE_LOG_LEVEL=error" });
      const real = { SLUICE_ADDRESS: "h:2", SLUICE_LOG_LEVEL: undefined };
      const { server, telemetry } = expectConfig(loadConfig({ env: real, folder: "/project", files }));
      expect(server.address.port).to.equal(2);
      expect(telemetry.logLevel).to.equal("error");
    });
  });

  describe("keys", () => {
    const provider = "{ kind: openai, base_url: 'https://x/v1', api_key_file: key.txt }";
    const load = (key: string | undefined) =>
      loadText("", {
        files: memoryFiles({
          "/project/sluice.yaml": catalogYaml({ provider }),
          ...(key !== undefined && { "/project/key.txt": key }),
        }),
      });

    it("come from a file, without the white space around them", () => {
      const [first] = expectConfig(load(" sk-secret\n")).providers;
      expect((first as OpenAiProviderConfig).apiKey?.reveal()).to.equal("sk-secret");
      expect(JSON.stringify(first)).not.to.include("sk-secret");
    });

    for (const [key, words] of [
      [undefined, "names a file that is not there"],
      ["\n", "names a file whose content is empty"],
      ["sk-secret\nsk-secret", "names a file whose content has a character that no header can carry"],
    ] as const) {
      it(`are refused when the field ${words}`, () => {
        const lines = listProblems(load(key));
        expect(lines).to.have.length(1);
        expect(lines[0]).to.match(/^sluice\.yaml:3:\d+: providers\.p\.api_key_file /);
        expect(lines[0]).to.include(words).and.not.include("sk-secret").and.not.include("key.txt");
      });
    }
  });

  describe("notices", () => {
    const load = (url: string, key = ", api_key: k") => {
      const result = loadText(catalogYaml({ provider: `{ kind: openai, base_url: '${url}'${key} }` }));
      return result.ok ? result.notices : [];
    };

    it("warn of a key sent over http to another machine", () => {
      expect(load("http://10.0.0.1/v1").join()).to.match(/^INSECURE: provider "p" /);
    });

    it("are silent about https, this machine and servers without a key", () => {
      expect(load("https://10.0.0.1/v1")).to.deep.equal([]);
      expect(load("http://127.0.0.1:1/v1")).to.deep.equal([]);
      expect(load("http://10.0.0.1/v1", "")).to.deep.equal([]);
    });

    it("say that answers are simulated", () => {
      const result = loadText("");
      expect(result.ok && result.notices.join()).to.match(/^SIMULATION: /);
    });

    it("name a provider that serves nothing", () => {
      const text = catalogYaml({ provider: "{ kind: simulator }\n  q: { kind: simulator }" });
      const result = loadText(text);
      expect(result.ok && result.notices.at(-1)).to.equal('Provider "q" serves no deployment.');
    });
  });
});
