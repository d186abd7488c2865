import { create, createRegistry, type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Error as ConformanceError,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  file_connectrpc_conformance_v1_service,
  type Header,
  HeaderSchema,
} from "../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.ts";
import type { RpcStatus } from "../src/service/encode-error.ts";

const REGISTRY = createRegistry(file_connectrpc_conformance_v1_service);

/** Adds the runner's headers to those of an answer; a name may come with several values. */
export function addHeaders(headers: readonly Header[], target: Headers): void {
  for (const { name, value } of headers) for (const item of value) target.append(name, item);
}

/** Headers, or the parameters of a query, in the runner's form. */
export function listHeaders(source: Iterable<readonly [name: string, value: string]>): Header[] {
  const byName = new Map<string, string[]>();
  for (const [name, value] of source) byName.set(name, [...(byName.get(name) ?? []), value]);
  return [...byName].map(([name, value]) => create(HeaderSchema, { name, value }));
}

/** The error that the runner wants, with a description of the request where one is given. */
export function makeError(
  error: ConformanceError,
  info: ConformancePayload_RequestInfo | undefined,
): ConnectError {
  const made = new ConnectError(error.message ?? "", error.code === 0 ? Code.Unknown : error.code);
  made.details = error.details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  if (info !== undefined) made.details.push({ desc: ConformancePayload_RequestInfoSchema, value: info });
  return made;
}

/** The same as a status of ours. */
export function makeStatus(
  error: ConformanceError,
  info: ConformancePayload_RequestInfo | undefined,
): RpcStatus {
  const details: { desc: DescMessage; value: Message }[] = error.details.map((any) => {
    const desc = REGISTRY.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
    if (desc === undefined) throw new Error(`the runner sent a detail of an unknown type: ${any.typeUrl}`);
    return { desc, value: fromBinary(desc, any.value) };
  });
  if (info !== undefined) details.push({ desc: ConformancePayload_RequestInfoSchema, value: info });
  const code = error.code === 0 ? Code.Unknown : error.code;
  return { code, message: error.message ?? "", details, trailers: {} };
}
