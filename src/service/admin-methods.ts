/** The methods of AdminService. */

import { create } from "@bufbuild/protobuf";
import { AdminService, ResetPerformanceResponseSchema } from "../../gen/sluice/v1/admin_service_pb.ts";
import type { RouteError } from "../domain/errors.ts";
import { type RpcMethod, unary } from "./call.ts";

/** What operators can do to a running replica. */
export interface Operations {
  /** Forgets what was measured of the deployments behind a name, all for an empty one; their ids, or why not. */
  resetPerformance(
    name: string,
  ): { readonly deployments: readonly string[] } | { readonly error: RouteError };
}

/** The methods over the operations. */
export function adminMethods(operations: Operations): readonly RpcMethod[] {
  return [
    unary(AdminService.method.resetPerformance, ({ name }, call) => {
      const result = operations.resetPerformance(name);
      if ("error" in result) return call.fail(result.error);
      call.respond(create(ResetPerformanceResponseSchema, { deployments: [...result.deployments] }));
    }),
  ];
}
