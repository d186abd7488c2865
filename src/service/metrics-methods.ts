/** The methods Metrics and WatchMetrics of RouterService. */

import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  MetricsResponseSchema,
  MetricsScope as MetricsScopeEnum,
  type WatchMetricsRequest,
  type WatchMetricsResponse,
  WatchMetricsResponseSchema,
} from "../../gen/sluice/v1/metrics_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";
import type { MetricsScope, MetricsSource } from "../domain/metrics.ts";
import type { Cleanup, Clock } from "../domain/ports.ts";
import { unknownModelError } from "../domain/unknown-model.ts";
import { type RpcMethod, type StreamCall, serverStreaming, unary } from "./call.ts";
import { encodeMetrics } from "./encode-metrics.ts";
import { invalidRequestError } from "./router-methods.ts";

const DEFAULT_INTERVAL_MS = 5_000;
const MIN_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = 3_600_000;

/** Metrics and WatchMetrics over a source. `modelNames` are the catalog's. */
export function metricsMethods(
  source: MetricsSource,
  modelNames: readonly string[],
  clock: Clock,
): readonly RpcMethod[] {
  const known = new Set(modelNames);
  const findUnknown = (names: readonly string[]) => names.find((name) => !known.has(name));
  return [
    unary(RouterService.method.metrics, ({ models, scope }, call) => {
      const unknown = findUnknown(models);
      if (unknown !== undefined) return call.fail(unknownModelError(unknown));
      call.respond(
        create(MetricsResponseSchema, { snapshot: encodeMetrics(source.snapshot(models, readScope(scope))) }),
      );
    }),
    serverStreaming(RouterService.method.watchMetrics, (request, call) => {
      const unknown = findUnknown(request.models);
      if (unknown !== undefined) return call.fail(unknownModelError(unknown));
      watchMetrics(source, clock, request, call);
    }),
  ];
}

/** A scope that this version does not know is this replica's. */
function readScope(scope: MetricsScopeEnum): MetricsScope {
  return scope === MetricsScopeEnum.FLEET ? "fleet" : "replica";
}

function watchMetrics(
  source: MetricsSource,
  clock: Clock,
  request: WatchMetricsRequest,
  call: StreamCall<WatchMetricsResponse>,
): void {
  const intervalMs =
    request.intervalDuration === undefined ? DEFAULT_INTERVAL_MS : durationMs(request.intervalDuration);
  if (!(intervalMs >= MIN_INTERVAL_MS && intervalMs <= MAX_INTERVAL_MS)) {
    const description = `is ${intervalMs} ms; must be ${MIN_INTERVAL_MS} ms to ${MAX_INTERVAL_MS} ms inclusive`;
    return call.fail(invalidRequestError([{ field: "interval_duration", description }]));
  }
  let stopTimer: Cleanup = () => {};
  let hasRoom = true;
  let scheduled = false;

  const send = (): void => {
    stopTimer();
    scheduled = false;
    // A reader who is behind gets the newest snapshot when there is room again, and none in between.
    if (hasRoom) {
      const snapshot = encodeMetrics(source.snapshot(request.models, readScope(request.scope)));
      hasRoom = call.write([create(WatchMetricsResponseSchema, { snapshot })]);
    }
    stopTimer = clock.timer(intervalMs, send);
  };
  call.onDrain(() => {
    hasRoom = true;
  });
  // Transitions that come together, as when a provider dies, make one message.
  const stopListening = source.onBreakerChange(() => {
    if (scheduled) return;
    scheduled = true;
    stopTimer();
    stopTimer = clock.timer(0, send);
  });
  call.onCancel((cause) => {
    stopTimer();
    stopListening();
    if (cause === "deadline")
      call.fail({ reason: "DEADLINE_EXCEEDED", message: "the time to watch is over" });
    else if (cause === "shutdown") {
      call.fail({ reason: "DRAINING", message: "this replica is shutting down", retryAfterMs: 0 });
    }
  });
  send();
}
