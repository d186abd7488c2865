/** The methods of AdminService that read what is remembered of calls. */

import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AdminService,
  type Call as CallMessage,
  CallSchema,
  ListCallsResponseSchema,
  ReportUsageResponseSchema,
  type UsageRow,
  UsageRowSchema,
} from "../../gen/sluice/v1/admin_service_pb.ts";
import {
  type CallHistory,
  type CallRecord,
  MAX_KEPT_CALLS,
  type UsageOfDay,
} from "../domain/call-history.ts";
import { type RpcMethod, unary } from "./call.ts";
import { encodeAttempt, encodeDuration, encodeUsage } from "./encode-attempt.ts";
import { invalidRequestError } from "./router-methods.ts";
import { Violations } from "./violations.ts";

const DEFAULT_LIMIT = 100;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** ReportUsage and ListCalls over a history. */
export function historyMethods(history: CallHistory): readonly RpcMethod[] {
  return [
    unary(AdminService.method.reportUsage, ({ firstDay, lastDay, model }, call) => {
      const violations = new Violations();
      for (const [field, day] of [
        ["first_day", firstDay],
        ["last_day", lastDay],
      ] as const) {
        if (day !== "" && !isDay(day)) violations.add(field, "must be a day such as 2026-11-21, or empty");
      }
      if (firstDay !== "" && lastDay !== "" && firstDay > lastDay) {
        violations.add("last_day", `is before first_day, ${firstDay}`);
      }
      if (violations.list.length > 0) return call.fail(invalidRequestError(violations.list));
      const rows = history.reportUsage({
        firstDay: firstDay || undefined,
        lastDay: lastDay || undefined,
        model: model || undefined,
      });
      call.respond(
        create(ReportUsageResponseSchema, {
          sinceTime: timestampFromMs(history.sinceWallMs),
          rows: rows.map(encodeRow),
        }),
      );
    }),
    unary(AdminService.method.listCalls, ({ model, failedOnly, requestId, limit = DEFAULT_LIMIT }, call) => {
      if (limit < 1 || limit > MAX_KEPT_CALLS) {
        const violations = new Violations();
        violations.add("limit", `is ${limit}; must be 1 to ${MAX_KEPT_CALLS}`);
        return call.fail(invalidRequestError(violations.list));
      }
      const query = { model: model || undefined, requestId: requestId || undefined, failedOnly, limit };
      const calls = history.listCalls(query).map(encodeCall);
      call.respond(create(ListCallsResponseSchema, { calls }));
    }),
  ];
}

/** Whether there is such a day: the 31st of February is none. */
function isDay(text: string): boolean {
  const atMs = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(text);
}

function encodeRow({ day, deployment, usage, succeededMs, ...counts }: UsageOfDay): UsageRow {
  return create(UsageRowSchema, {
    day,
    deployment: deployment.id,
    provider: deployment.provider,
    model: deployment.model,
    callCount: BigInt(counts.callCount),
    succeededCount: BigInt(counts.succeededCount),
    failedCount: BigInt(counts.failedCount),
    abandonedCount: BigInt(counts.abandonedCount),
    ...(Object.keys(usage).length === 0 ? {} : { usage: encodeUsage(usage) }),
    succeededDuration: encodeDuration(succeededMs),
  });
}

function encodeCall({ endedWallMs, requestId, attempt }: CallRecord): CallMessage {
  return create(CallSchema, {
    endTime: timestampFromMs(endedWallMs),
    requestId,
    attempt: encodeAttempt(attempt),
  });
}
