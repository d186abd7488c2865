import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Error as ConformanceError,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type Header,
  HeaderSchema,
} from "../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.ts";

/** Adds the runner's headers to those of an answer; a name may come with several values. */
export function addHeaders(headers: readonly Header[], target: Headers): void {
  for (const { name, value } of headers) for (const item of value) target.append(name, item);
}

/** Headers, or the parameters of a query, in the runner's form. */
export function listHeaders(source: Headers | URLSearchParams): Header[] {
  const byName = new Map<string, string[]>();
  source.forEach((value, name) => {
    byName.set(name, [...(byName.get(name) ?? []), value]);
  });
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
