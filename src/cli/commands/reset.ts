import { create } from "@bufbuild/protobuf";
import { AdminService, ResetPerformanceRequestSchema } from "../../../gen/sluice/v1/admin_service_pb.ts";
import { ADMIN_CALL_OPTIONS, ADMIN_SERVER, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { printable } from "../printable-text.ts";

/** `sluice reset`: forgets what was measured. */
export const resetCommand: LeafCommand = {
  kind: "leaf",
  name: "reset",
  summary: "forget what was measured, so that routing begins anew",
  operands: "[name]",
  maxOperandCount: 1,
  description:
    "Forgets latencies, successes, breakers, cooldowns and refused credentials of the deployments behind a name: a model, provider, group, echelon, pool, chain or deployment; of all without one. Calls the admin address, not the callers' one. Prints the deployments, one a line.",
  options: { ...ADMIN_CALL_OPTIONS, ...COMMON_OPTIONS },
  examples: [
    { command: "sluice reset glm", meaning: "a provider whose key was renewed" },
    { command: "sluice reset --server 10.0.0.7:9464", meaning: "everything, of another machine's server" },
  ],
  run: (args, terminal) =>
    withCallSession(
      args,
      terminal,
      async ({ client, limits, report }) => {
        const request = create(ResetPerformanceRequestSchema, { name: args.operands[0] ?? "" });
        const result = await client.unary(AdminService.method.resetPerformance, request, limits);
        if (!result.ok) return report(result.failure);
        for (const id of result.value.deployments) await terminal.stdout.write(`${printable(id)}\n`);
        return exitCode("ok");
      },
      ADMIN_SERVER,
    ),
};
