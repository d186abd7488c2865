import { create, toJsonString } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  AdminService,
  ReportUsageRequestSchema,
  ReportUsageResponseSchema,
} from "../../../gen/sluice/v1/admin_service_pb.ts";
import { ADMIN_CALL_OPTIONS, ADMIN_SERVER, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseWordOption } from "../option-value.ts";
import { chooseWidth } from "../terminal.ts";
import { renderUsage, USAGE_GROUPINGS } from "../usage-table.ts";

/** `sluice usage`: what was used, by day, model, provider or deployment. */
export const usageCommand: LeafCommand = {
  kind: "leaf",
  name: "usage",
  summary: "show calls, tokens and cost by day, model, provider or deployment",
  operands: "",
  maxOperandCount: 0,
  description:
    "Counts calls to providers, every attempt of every request, since the server's start. Days are of UTC. Calls the admin address, not the callers' one.",
  options: {
    by: {
      type: "string",
      placeholder: "WORD",
      description: `one row per ${USAGE_GROUPINGS.join(", ")} (default: day)`,
    },
    from: { type: "string", placeholder: "DAY", description: "from this day on: 2026-11-21" },
    to: { type: "string", placeholder: "DAY", description: "up to this day, itself included" },
    model: { type: "string", placeholder: "NAME", short: "m", description: "only this model" },
    json: { type: "boolean", description: "print the response as JSON: one row per day and deployment" },
    ...ADMIN_CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice usage", meaning: "one row per day" },
    { command: "sluice usage --by model --from 2026-11-01", meaning: "each model's since the first" },
  ],
  run: (args, terminal) =>
    withCallSession(
      args,
      terminal,
      async ({ client, limits, paint, report }) => {
        const { stdout, env } = terminal;
        const by = parseWordOption("by", args.text("by") ?? "day", USAGE_GROUPINGS);
        const request = create(ReportUsageRequestSchema, {
          firstDay: args.text("from") ?? "",
          lastDay: args.text("to") ?? "",
          model: args.text("model") ?? "",
        });
        const result = await client.unary(AdminService.method.reportUsage, request, limits);
        if (!result.ok) return report(result.failure);
        const { rows, sinceTime } = result.value;
        if (args.has("json")) {
          await stdout.write(
            `${toJsonString(ReportUsageResponseSchema, result.value, { prettySpaces: 2 })}\n`,
          );
          return exitCode("ok");
        }
        const since = sinceTime === undefined ? "" : `since ${timestampDate(sinceTime).toISOString()}`;
        const lines = [since, "", ...renderUsage(rows, by, chooseWidth(stdout, env), paint)];
        await stdout.write(`${lines.join("\n")}\n`);
        return exitCode("ok");
      },
      ADMIN_SERVER,
    ),
};
