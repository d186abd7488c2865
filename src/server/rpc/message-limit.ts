import type { DescMethod } from "@bufbuild/protobuf";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../../gen/health/v1/health_pb.ts";

/** A request of these holds a name or two. */
const SMALL_BYTES = 16 * 1024;

/** Services that may be open to anybody, so that nobody knows who sends what they are to parse. */
const SMALL_SERVICES: ReadonlySet<string> = new Set(
  [Health, ServerReflection, ServerReflectionAlpha].map(({ typeName }) => typeName),
);

/** The most bytes that one request message of a method may have, of those that the server takes at all. */
export function limitMessage(method: DescMethod, maxRequestBytes: number): number {
  return SMALL_SERVICES.has(method.parent.typeName)
    ? Math.min(SMALL_BYTES, maxRequestBytes)
    : maxRequestBytes;
}

/** What is not in the contract is not kept: each such field takes many times its bytes in memory. */
export const READ_OPTIONS = { readUnknownFields: false } as const;
