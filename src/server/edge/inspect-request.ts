import { isValidAuthority } from "./authority.ts";
import type { NodeRequest } from "./wire.ts";

/** Longest path with its query. Connect's GET carries a message there; nothing else needs so much. */
const MAX_TARGET_CHARACTERS = 8_192;

/** Per field, as HTTP/2 counts the size of a header list (RFC 9113 6.5.2). */
const FIELD_OVERHEAD_BYTES = 32;

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
}

/**
 * Checks what every request must have before anything else looks at it: an
 * authority and a target that URL parsers can read (RFC 9110 7.2), and sizes within
 * bounds.
 */
export function inspectRequest(
  request: NodeRequest,
  limits: { readonly maxHeaderBytes: number; readonly scheme: "http" | "https" },
): RequestTarget | HttpRefusal {
  const authority = readHeader(request, ":authority") ?? readHeader(request, "host");
  if (authority === undefined) return { status: 400, message: "the request names no host" };
  if (!isValidAuthority(authority)) {
    return { status: 400, message: "the host must be a name or an address with an optional port" };
  }
  const target = request.url ?? "";
  if (target.length > MAX_TARGET_CHARACTERS) {
    return { status: 414, message: `the path has more than ${MAX_TARGET_CHARACTERS} characters` };
  }
  if (measureHeaderBytes(request.rawHeaders) > limits.maxHeaderBytes) {
    return { status: 431, message: `the headers have more than ${limits.maxHeaderBytes} bytes` };
  }
  const url = `${limits.scheme}://${authority}${target}`;
  if (!target.startsWith("/") || !URL.canParse(url)) {
    return { status: 400, message: "the path must begin with / and be a valid URL path" };
  }
  const queryStart = target.indexOf("?");
  const path = queryStart < 0 ? target : target.slice(0, queryStart);
  return { httpMethod: request.method ?? "", path, url };
}

/** The first value of a request header; `name` in lower case. */
export function readHeader(request: NodeRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function measureHeaderBytes(rawHeaders: readonly string[]): number {
  let bytes = (rawHeaders.length / 2) * FIELD_OVERHEAD_BYTES;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
