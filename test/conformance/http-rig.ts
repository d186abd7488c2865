import type { HttpProviderConfig } from "../../src/config/config.ts";
import type { Clock, Provider } from "../../src/domain/ports.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { eventually } from "../support/eventually.ts";
import { FakeUpstream } from "../support/fake-upstream.ts";
import { type DialectVoice, later, scriptDialect } from "./dialect-scripts.ts";
import { makeCall } from "./provider-calls.ts";
import type { ProviderRig, ProviderScenario } from "./provider-conformance.ts";

/** A dialect, spoken by a real HTTP server to the provider under test. */
export interface HttpRigOptions {
  readonly stopWord: string;
  readonly voice: DialectVoice;
  makeProvider(
    config: HttpProviderConfig,
    deps: { readonly clock: Clock; readonly userAgent: string },
  ): Provider;
}

/** The scenarios that a dialect's server can play: all. */
export const HTTP_SCENARIOS: ReadonlySet<ProviderScenario> = new Set<ProviderScenario>([
  "text",
  "tool_call",
  "parallel_tools",
  "json",
  "server_error",
  "cut",
  "silent",
  "endless",
]);

/** Starts the server and the provider. */
export async function makeHttpRig(options: HttpRigOptions): Promise<ProviderRig> {
  const upstream = await FakeUpstream.start();
  const scripts = scriptDialect(options.voice);
  const provider = options.makeProvider(
    {
      name: "acme",
      baseUrl: upstream.baseUrl,
      apiKey: undefined,
      maxConnections: 4,
      connectTimeoutMs: 1_000,
    },
    { clock: systemClock, userAgent: "sluice/test" },
  );
  return {
    stopWord: options.stopWord,
    prepare(scenario) {
      upstream.script = scripts[scenario];
      return { provider, call: makeCall() };
    },
    until: (check) => eventually(check),
    letTimePass: () => new Promise((resolve) => later(resolve, 200)),
    isQuiet: () =>
      upstream.exchanges.every(({ response, isClientGone }) => response.writableEnded || isClientGone),
    async close() {
      await provider.close();
      await upstream.close();
    },
  };
}
