import { readFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Role } from "../../gen/sluice/v1/generation_pb.ts";
import { type FleetMetrics, MetricsScope } from "../../gen/sluice/v1/metrics_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";
import { startSluiceProcess } from "../../test/support/sluice-process.ts";

/** One replica of Sluice, a process of its own. */
export interface Replica {
  readonly id: string;
  /** Asks for an answer of a provider; tells whether there was one. */
  ask(provider: string): Promise<boolean>;
  /** Asks for an answer of a model, which has one provider that fails and one that does not. */
  askModel(number: number): Promise<boolean>;
  /** The same, but that the one that fails is asked first wherever it is not given up. */
  askInOrder(number: number): Promise<boolean>;
  /** What it knows of the others, with the deployments of one model. */
  readFleet(number: number): Promise<FleetMetrics | undefined>;
  /** Resident memory. */
  readRssMiB(): number;
  stop(): Promise<void>;
}

const MESSAGES = [{ role: Role.USER, parts: [{ part: { case: "text" as const, value: "hello" } }] }];

/** What a replica is started with. */
export interface ReplicaOptions {
  readonly modelUrl: string;
  readonly natsUrl: string;
  readonly modelCount: number;
  /** Replicas hear those that have the same. */
  readonly subjectPrefix?: string;
}

/** Starts a replica whose model `m<number>` is served by `flaky-<number>` and by `sound`. */
export async function startReplica(
  id: string,
  { modelUrl, natsUrl, modelCount, subjectPrefix = "sluice" }: ReplicaOptions,
): Promise<Replica> {
  const numbers = Array.from({ length: modelCount }, (_, number) => number);
  const yaml = JSON.stringify({
    nats: { servers: [natsUrl], replica_id: id, subject_prefix: subjectPrefix },
    telemetry: { log_level: "silent" },
    providers: Object.fromEntries([
      ["sound", { kind: "openai", base_url: `${modelUrl}/sound` }],
      ...numbers.map((number) => [
        `flaky-${number}`,
        { kind: "openai", base_url: `${modelUrl}/flaky-${number}` },
      ]),
    ]),
    models: numbers.map((number) => ({
      name: `m${number}`,
      context_window_tokens: 1_000,
      max_output_tokens: 100,
      deployments: [{ provider: `flaky-${number}` }, { provider: "sound" }],
    })),
    pools: Object.fromEntries(
      numbers.map((number) => [`p${number}`, { members: [`m${number}`], rotation: "fixed" }]),
    ),
  });
  const process = await startSluiceProcess(yaml);
  const transport = createConnectTransport({ httpVersion: "2", baseUrl: process.baseUrl });
  const client = createClient(RouterService, transport);
  const isAnswered = async (kind: { case: "provider" | "model" | "pool"; value: string }) =>
    client.generate({ spec: { messages: MESSAGES, target: { kind } } }).then(
      () => true,
      () => false,
    );
  return {
    id,
    ask: (provider) => isAnswered({ case: "provider", value: provider }),
    askModel: (number) => isAnswered({ case: "model", value: `m${number}` }),
    askInOrder: (number) => isAnswered({ case: "pool", value: `p${number}` }),
    async readFleet(number) {
      const request = { scope: MetricsScope.FLEET, models: [`m${number}`] };
      return (await client.metrics(request)).snapshot?.fleet;
    },
    readRssMiB() {
      const status = readFileSync(`/proc/${process.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
    },
    stop: () => process.remove(),
  };
}
