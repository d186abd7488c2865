import { create, toJsonString } from "@bufbuild/protobuf";
import { durationMs, timestampDate } from "@bufbuild/protobuf/wkt";
import {
  AdminService,
  type Call,
  ListCallsRequestSchema,
  ListCallsResponseSchema,
} from "../../../gen/sluice/v1/admin_service_pb.ts";
import { OutcomeSchema } from "../../../gen/sluice/v1/generation_pb.ts";
import { nameEnumValue } from "../answer-summary.ts";
import { ADMIN_CALL_OPTIONS, ADMIN_SERVER, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { formatCost, formatCount, formatMs, UNKNOWN } from "../number-text.ts";
import { parseCountOption } from "../option-value.ts";
import { chooseWidth } from "../terminal.ts";
import { type Column, renderTable } from "../text-table.ts";

const COLUMNS: readonly Column<Call>[] = [
  {
    heading: "ENDED",
    text: ({ endTime }) => (endTime === undefined ? UNKNOWN : timestampDate(endTime).toISOString()),
  },
  { heading: "DEPLOYMENT", text: ({ attempt }) => attempt?.deployment ?? UNKNOWN },
  {
    heading: "OUTCOME",
    text: ({ attempt }) => (attempt === undefined ? UNKNOWN : describeOutcome(attempt)),
  },
  {
    heading: "TIME",
    align: "right",
    text: ({ attempt }) =>
      attempt?.totalDuration === undefined ? UNKNOWN : formatMs(durationMs(attempt.totalDuration)),
  },
  { heading: "IN", align: "right", text: ({ attempt }) => formatCount(attempt?.usage?.inputTokenCount) },
  { heading: "OUT", align: "right", text: ({ attempt }) => formatCount(attempt?.usage?.outputTokenCount) },
  { heading: "COST", align: "right", text: ({ attempt }) => formatCost(attempt?.usage) },
  { heading: "NO", align: "right", text: ({ attempt }) => String(attempt?.attemptNumber ?? UNKNOWN) },
  { heading: "REQUEST", text: ({ requestId }) => requestId },
];

/** `sluice calls`: the last calls to providers. */
export const callsCommand: LeafCommand = {
  kind: "leaf",
  name: "calls",
  summary: "list the last calls to providers",
  operands: "",
  maxOperandCount: 0,
  description:
    "Lists ended calls, every attempt of every request, the newest first; the server keeps the last 2,000. What was asked and answered is not kept. Calls the admin address, not the callers' one.",
  options: {
    failed: { type: "boolean", description: "only those that failed" },
    model: { type: "string", placeholder: "NAME", short: "m", description: "only of this model" },
    request: { type: "string", placeholder: "ID", description: "only those of this request" },
    limit: { type: "string", placeholder: "COUNT", description: "at most so many (default: 100)" },
    json: { type: "boolean", description: "print the response as JSON" },
    ...ADMIN_CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice calls --failed --limit 20", meaning: "what went wrong lately" },
    { command: "sluice calls --request 01JD…", meaning: "the attempts of one request" },
  ],
  run: (args, terminal) =>
    withCallSession(
      args,
      terminal,
      async ({ client, limits, paint, report }) => {
        const { stdout, env } = terminal;
        const limit = args.text("limit");
        const request = create(ListCallsRequestSchema, {
          model: args.text("model") ?? "",
          requestId: args.text("request") ?? "",
          failedOnly: args.has("failed"),
          ...(limit === undefined ? {} : { limit: parseCountOption("limit", limit) }),
        });
        const result = await client.unary(AdminService.method.listCalls, request, limits);
        if (!result.ok) return report(result.failure);
        const { calls } = result.value;
        const lines = args.has("json")
          ? [toJsonString(ListCallsResponseSchema, result.value, { prettySpaces: 2 })]
          : renderTable(COLUMNS, calls, chooseWidth(stdout, env), paint);
        await stdout.write(`${lines.join("\n")}\n`);
        return exitCode("ok");
      },
      ADMIN_SERVER,
    ),
};

function describeOutcome({ outcome, httpStatus, providerCode }: NonNullable<Call["attempt"]>): string {
  const status = httpStatus === undefined ? "" : ` ${httpStatus}`;
  const code = providerCode === "" ? "" : ` ${providerCode}`;
  return `${nameEnumValue(OutcomeSchema, outcome)}${status}${code}`;
}
