/** Which scope each RPC needs. A method that is not in the table is refused, and does not compile either. */

import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../gen/health/v1/health_pb.ts";
import { AdminService } from "../../gen/sluice/v1/admin_service_pb.ts";
import { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";
import type { AccessRule } from "./access-rule.ts";

/** The part of a method's descriptor that a decision needs. */
export interface MethodDescriptor {
  readonly name: string;
  readonly parent: { readonly typeName: string };
}

interface Service {
  readonly typeName: string;
  readonly method: Readonly<Record<string, MethodDescriptor>>;
}

/** A rule for each method of a service: the compiler refuses a missing and a surplus one. */
interface ServiceAccess {
  readonly service: Service;
  readonly rules: ReadonlyMap<string, AccessRule>;
}

function access<S extends Service>(
  service: S,
  rules: Readonly<Record<keyof S["method"], AccessRule>>,
): ServiceAccess {
  return {
    service,
    rules: new Map(
      Object.entries(service.method).map(([key, { name }]) => [name, rules[key as keyof S["method"]]]),
    ),
  };
}

const TABLE: readonly ServiceAccess[] = [
  access(RouterService, {
    generate: "generate",
    streamGenerate: "generate",
    metrics: "metrics",
    watchMetrics: "metrics",
  }),
  access(ModelService, {
    listModels: "models.read",
    getModel: "models.read",
    recommendModels: "models.read",
    explainRoute: "models.read",
    // It spends tokens at every model at once; reading the catalog is no right to that.
    testModels: "admin",
  }),
  access(AdminService, { resetPerformance: "admin", reportUsage: "admin", listCalls: "admin" }),
  // Load balancers and orchestrators have no credentials. The list of services is none of their business.
  access(Health, { check: "open", watch: "open", list: "metrics" }),
  access(ServerReflection, { serverReflectionInfo: "reflection" }),
  access(ServerReflectionAlpha, { serverReflectionInfo: "reflection" }),
];

/**
 * The rule of a method, by its dispatched descriptor: never by a path or a host that the
 * caller wrote. Undefined, which is a refusal, for a method without a rule.
 */
export function findMethodRule(method: MethodDescriptor): AccessRule | undefined {
  const entry = TABLE.find(({ service }) => service.typeName === method.parent.typeName);
  return entry?.rules.get(method.name);
}
