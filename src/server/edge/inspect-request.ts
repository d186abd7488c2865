import { isValidAuthority } from "./authority.ts";
import type { NodeRequest } from "./wire.ts";

/** Longest path with its query. Connect's GET carries a message there; nothing else needs so much. */
const MAX_TARGET_CHARACTERS = 8_192;

/** Per field, as HTTP/2 counts the size of a header list (RFC 9113 6.5.2). */
const FIELD_OVERHEAD_BYTES = 32;

const HOST = "host";

/** An HTTP status and what was wrong, for the caller. */
export interface HttpRefusal {
  readonly status: number;
  readonly message: string;
}

/** The parts of a request that passed the checks. */
export interface RequestTarget {
  readonly httpMethod: string;
  /** Without the query. */
  readonly path: string;
  /** The whole URL; `new URL` takes it. */
  readonly url: string;
  /** Host and port as the caller wrote them; valid. */
  readonly authority: string;
}

/**
 * Checks what every request must have before anything else looks at it: one
 * authority and a target that URL parsers can read (RFC 9110 7.2), and sizes within
 * bounds.
 */
export function inspectRequest(
  request: NodeRequest,
  limits: { readonly maxHeaderBytes: number; readonly scheme: "http" | "https" },
): RequestTarget | HttpRefusal {
  const headers = measureHeaders(request.rawHeaders);
  const pseudo = readHeader(request, ":authority");
  const host = readHeader(request, "host");
  const authority = pseudo ?? host;
  if (authority === undefined) return { status: 400, message: "the request names no host" };
  // RFC 9112 3.2 and RFC 9113 8.3.1: whoever is in between may have looked at the other one.
  if (headers.hostCount > 1 || (pseudo !== undefined && host !== undefined && pseudo !== host)) {
    return { status: 400, message: "the request names more than one host" };
  }
  if (!isValidAuthority(authority)) {
    return { status: 400, message: "the host must be a name or an address with an optional port" };
  }
  const target = request.url ?? "";
  if (target.length > MAX_TARGET_CHARACTERS) {
    return { status: 414, message: `the path has more than ${MAX_TARGET_CHARACTERS} characters` };
  }
  if (headers.bytes > limits.maxHeaderBytes) {
    return { status: 431, message: `the headers have more than ${limits.maxHeaderBytes} bytes` };
  }
  const url = `${limits.scheme}://${authority}${target}`;
  if (!target.startsWith("/") || !URL.canParse(url)) {
    return { status: 400, message: "the path must begin with / and be a valid URL path" };
  }
  const expectation = readHeader(request, "expect");
  if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") {
    return { status: 417, message: "the only expectation that can be met is 100-continue" };
  }
  const queryStart = target.indexOf("?");
  const path = queryStart < 0 ? target : target.slice(0, queryStart);
  return { httpMethod: request.method ?? "", path, url, authority };
}

/** The first value of a request header; `name` in lower case. */
export function readHeader(request: NodeRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Names and values in turn, as they came: Node's own map of headers hides repetitions. */
function measureHeaders(rawHeaders: readonly string[]): {
  readonly bytes: number;
  readonly hostCount: number;
} {
  let bytes = (rawHeaders.length / 2) * FIELD_OVERHEAD_BYTES;
  let hostCount = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    bytes += name.length + (rawHeaders[index + 1]?.length ?? 0);
    if (name.length === HOST.length && name.toLowerCase() === HOST) hostCount++;
  }
  return { bytes, hostCount };
}
