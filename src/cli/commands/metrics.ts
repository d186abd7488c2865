import { create, toJsonString } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import {
  MetricsRequestSchema,
  MetricsScope,
  type MetricsSnapshot,
  MetricsSnapshotSchema,
  WatchMetricsRequestSchema,
} from "../../../gen/sluice/v1/metrics_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { CALL_OPTIONS, type CallSession, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { renderFleetMetrics, renderMetrics, renderScopeMetrics } from "../metrics-table.ts";
import { parseDurationOption } from "../option-value.ts";
import { chooseWidth, type Output, type Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

/** What WatchMetricsRequest allows. */
const MIN_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = 3_600_000;
const DEFAULT_INTERVAL_MS = 2_000;

/** ECMA-48: cursor to the top left corner, then erase all below. */
const REDRAW = "\u001b[H\u001b[J";

/** What there is a row for. */
type Table = "deployments" | "scopes" | "fleet";

const SCOPES: Readonly<Record<Table, MetricsScope>> = {
  deployments: MetricsScope.UNSPECIFIED,
  scopes: MetricsScope.UNSPECIFIED,
  fleet: MetricsScope.FLEET,
};

const RENDERERS: Readonly<Record<Table, typeof renderMetrics>> = {
  deployments: renderMetrics,
  scopes: renderScopeMetrics,
  fleet: renderFleetMetrics,
};

/** `sluice metrics`: the state of models and deployments. */
export const metricsCommand: LeafCommand = {
  kind: "leaf",
  name: "metrics",
  summary: "show how models and deployments are doing",
  operands: "",
  maxOperandCount: 0,
  description:
    "One row per deployment. Totals count from the start of the server process. With --watch the table is drawn again whenever a breaker changes and at the interval, until Ctrl-C.",
  options: {
    watch: { type: "boolean", short: "w", description: "go on showing" },
    interval: { type: "string", placeholder: "TIME", description: "with --watch: 100ms to 1h (default: 2s)" },
    model: {
      type: "string",
      placeholder: "NAME",
      multiple: true,
      short: "m",
      description: "only this model; repeatable",
    },
    scopes: {
      type: "boolean",
      description: "one row per model, provider, group, echelon, pool and chain instead",
    },
    fleet: { type: "boolean", description: "one row per other replica that this one hears instead" },
    json: { type: "boolean", description: "print JSON; with --watch one line per snapshot" },
    ...CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice metrics", meaning: "the state now" },
    { command: "sluice metrics --watch --interval 1s", meaning: "a live table" },
    { command: "sluice metrics --scopes", meaning: "groups, pools and whatever else there is" },
    { command: "sluice metrics --fleet", meaning: "the other replicas, and what they disagree in" },
    { command: "sluice metrics --model glm-4.6-flash --json", meaning: "one model, for a script" },
  ],
  async run(args, terminal) {
    const models = [...args.texts("model")];
    const interval = args.text("interval");
    if (interval !== undefined && !args.has("watch")) throw new UsageError("--interval goes with --watch.");
    const intervalMs =
      interval === undefined ? DEFAULT_INTERVAL_MS : parseDurationOption("interval", interval);
    if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
      throw new UsageError(`--interval ${interval} is out of range: 100ms to 1h.`);
    }
    const isJson = args.has("json");
    const hasScopes = args.has("scopes");
    if (hasScopes && models.length > 0) throw new UsageError("--scopes goes without --model.");
    const hasFleet = args.has("fleet");
    if (hasFleet && hasScopes) throw new UsageError("--fleet goes without --scopes.");
    const table: Table = hasFleet ? "fleet" : hasScopes ? "scopes" : "deployments";
    return withCallSession(args, terminal, async (session) => {
      if (args.has("watch")) {
        return watchMetrics(session, terminal, { models, intervalMs, isJson, table });
      }
      const request = create(MetricsRequestSchema, { models, scope: SCOPES[table] });
      const result = await session.client.unary(RouterService.method.metrics, request, session.limits);
      if (!result.ok) return session.report(result.failure);
      const snapshot = result.value.snapshot ?? create(MetricsSnapshotSchema);
      await terminal.stdout.write(
        isJson
          ? `${toJsonString(MetricsSnapshotSchema, snapshot, { prettySpaces: 2 })}\n`
          : draw(snapshot, table, session, terminal),
      );
      return exitCode("ok");
    });
  },
};

interface WatchOptions {
  readonly models: string[];
  readonly intervalMs: number;
  readonly isJson: boolean;
  readonly table: Table;
}

async function watchMetrics(
  session: CallSession,
  terminal: Terminal,
  { models, intervalMs, isJson, table }: WatchOptions,
): Promise<number> {
  const { stdout } = terminal;
  const request = create(WatchMetricsRequestSchema, {
    models,
    scope: SCOPES[table],
    intervalDuration: durationFromMs(intervalMs),
  });
  let hasShown = false;
  for (;;) {
    let hasAnswered = false;
    const result = await session.client.stream(
      RouterService.method.watchMetrics,
      request,
      session.limits,
      async ({ snapshot = create(MetricsSnapshotSchema) }) => {
        hasAnswered = true;
        if (isJson) return stdout.write(`${toJsonString(MetricsSnapshotSchema, snapshot)}\n`);
        const text = draw(snapshot, table, session, terminal);
        const before = stdout.isTty ? REDRAW : hasShown ? "\n" : "";
        hasShown = true;
        return stdout.write(before + (stdout.isTty ? cropToHeight(text, stdout) : text));
      },
    );
    // The server ends every stream at its own limit. When the user set none, go on.
    const isServersLimit = !result.ok && result.failure.code === status.DEADLINE_EXCEEDED;
    if (isServersLimit && hasAnswered && session.limits.timeoutMs === undefined) continue;
    if (result.ok || (isServersLimit && hasAnswered)) return exitCode("ok");
    return session.report(result.failure);
  }
}

function draw(
  snapshot: MetricsSnapshot,
  table: Table,
  { paint }: CallSession,
  { stdout, env }: Terminal,
): string {
  return `${RENDERERS[table](snapshot, chooseWidth(stdout, env), paint).join("\n")}\n`;
}

/** A table higher than the screen would scroll and flicker. */
function cropToHeight(table: string, { rowCount }: Output): string {
  const lines = table.split("\n");
  if (rowCount < 2 || lines.length <= rowCount) return table;
  return [...lines.slice(0, rowCount - 2), `… ${lines.length - rowCount + 1} more lines`, ""].join("\n");
}
