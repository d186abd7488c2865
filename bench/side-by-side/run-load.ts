import { writeFileSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import { Role } from "../../gen/sluice/v1/generation_pb.ts";
import { GenerateRequestSchema, StreamGenerateRequestSchema } from "../../gen/sluice/v1/router_service_pb.ts";
import { frame } from "../contestants/minimal-grpc-proxy/grpc-frame.ts";
import { Child } from "./child-processes.ts";
import { type Measure, modelName } from "./measures.ts";
import { CACHE } from "./native-binaries.ts";

/** What the load generator prints. */
export interface LoadResult {
  readonly requestCount: number;
  readonly tokenCount: number;
  readonly errorCount: number;
  /** Requests that were due and had no place when an open loop ended. */
  readonly waitingCount: number;
  readonly measuredMs: number;
  readonly cpuMs: number;
  /** How long the gateway's core was busy, with whatever; 0 when nothing is pinned. */
  readonly coreBusyMs: number;
  readonly peakRssKib: number;
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
  readonly latencySampleCount: number;
  readonly tokenP50Us: number;
  readonly tokenP99Us: number;
  readonly firstError: string;
}

/** How a contestant is spoken to. */
export interface Door {
  /** `http2` is a plain server without grpc-status, for the hello contestant. */
  readonly protocol: "grpc" | "openai" | "http2";
  /** Further header lines for the OpenAI protocol, each ended by a newline but the last. */
  readonly headers?: string;
}

/** Who is loaded. */
export interface LoadTarget {
  readonly door: Door;
  readonly port: number;
  readonly pids: readonly number[];
  /** The core it has to itself, where it has one. */
  readonly core: number | undefined;
}

const PROMPT = "Say hello to the people who measure things.";
/** What the generator may take beyond its own times before it counts as stuck. */
const STUCK_MS = 10_000;

function encodeRequest(door: Door, measure: Measure): Uint8Array {
  const model = modelName(measure.upstream);
  if (door.protocol === "openai") {
    const streaming = measure.stream ? { stream: true, stream_options: { include_usage: true } } : {};
    return Buffer.from(
      JSON.stringify({ model, messages: [{ role: "user", content: PROMPT }], ...streaming }),
    );
  }
  const spec = {
    messages: [{ role: Role.USER, parts: [{ part: { case: "text" as const, value: PROMPT } }] }],
    target: { kind: { case: "model" as const, value: model } },
  };
  return frame(
    measure.stream
      ? toBinary(StreamGenerateRequestSchema, create(StreamGenerateRequestSchema, { spec }))
      : toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { spec })),
  );
}

function buildArgs(target: LoadTarget, measure: Measure): string[] {
  const { protocol, headers } = target.door;
  const body = `${CACHE}request-${protocol}-${measure.name}.bin`;
  writeFileSync(body, encodeRequest(target.door, measure));
  const args = ["--port", String(target.port), "--body", body, "--pids", target.pids.join(",")];
  args.push("--warm-ms", String(measure.warmMs), "--measure-ms", String(measure.measureMs));
  args.push("--ramp-ms", String(measure.rampMs), "--rate", String(measure.requestsPerSecond));
  if (protocol === "openai") {
    args.push("--openai", "--path", "/v1/chat/completions", "--connections", String(measure.inFlightCount));
    if (headers !== undefined) args.push("--header", headers);
    if (measure.stream) args.push("--done");
  } else {
    const slotCount = Math.ceil(measure.inFlightCount / measure.http2ConnectionCount);
    args.push("--path", `/sluice.v1.RouterService/${measure.stream ? "StreamGenerate" : "Generate"}`);
    args.push("--connections", String(measure.http2ConnectionCount), "--slots", String(slotCount));
  }
  if (target.core !== undefined) args.push("--core", String(target.core));
  if (protocol === "http2") args.push("--plain");
  else args.push("--tokens", String(measure.upstream.tokenCount));
  return args;
}

/** Runs the generator once. Ends by itself; throws when the generator itself fails. */
export async function runLoad(generator: string, target: LoadTarget, measure: Measure): Promise<LoadResult> {
  const child = new Child(1, generator, buildArgs(target, measure), process.env);
  const timer = setTimeout(() => child.kill(), measure.warmMs + measure.measureMs + STUCK_MS);
  await child.waitForExit();
  clearTimeout(timer);
  if (child.exitCode !== 0) throw new Error(`the load generator failed: ${child.lastWords}`);
  return JSON.parse(child.stdout) as LoadResult;
}
