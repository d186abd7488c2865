import type { RpcProtocol } from "./rpc-protocol.ts";

/** What a caller said about its time limit. */
export type CallerTimeout =
  | { readonly kind: "absent" }
  | { readonly kind: "invalid" }
  | { readonly kind: "given"; readonly timeoutMs: number };

/** `TimeoutValue TimeoutUnit` of the gRPC protocol (grpc/grpc doc/PROTOCOL-HTTP2.md). */
const GRPC_TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;
/** At most ten digits (Connect protocol, Timeout). */
const CONNECT_TIMEOUT = /^[0-9]{1,10}$/;

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** The header in which a protocol carries the time limit. */
export function nameTimeoutHeader(protocol: RpcProtocol): "grpc-timeout" | "connect-timeout-ms" {
  return protocol === "connect" ? "connect-timeout-ms" : "grpc-timeout";
}

/**
 * Reads a time limit, cut to `maxTimeoutMs`: `600H` is more than Node's timers can
 * take, and they would fire at once.
 */
export function parseCallerTimeout(
  protocol: RpcProtocol,
  value: string | undefined,
  maxTimeoutMs: number,
): CallerTimeout {
  if (value === undefined) return { kind: "absent" };
  const timeoutMs = protocol === "connect" ? parseConnect(value) : parseGrpc(value);
  if (timeoutMs === undefined) return { kind: "invalid" };
  return { kind: "given", timeoutMs: Math.min(timeoutMs, maxTimeoutMs) };
}

function parseConnect(value: string): number | undefined {
  return CONNECT_TIMEOUT.test(value) ? Number(value) : undefined;
}

function parseGrpc(value: string): number | undefined {
  const [, digits, unit] = GRPC_TIMEOUT.exec(value) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  return unitMs === undefined ? undefined : Number(digits) * unitMs;
}
