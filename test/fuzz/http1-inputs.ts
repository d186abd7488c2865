import type { Chance } from "./chance.ts";
import { drawBody, drawHeaders, drawValue } from "./hostile-values.ts";

/** The bytes of a connection with hostile requests one behind the other, whatever is wrong with each. */
export function makeHttp1Batch(chance: Chance, inputCount: number, gzipped: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let index = 0; index < inputCount; index++) pieces.push(makeRequest(chance, gzipped));
  return Buffer.concat(pieces);
}

function makeRequest(chance: Chance, gzipped: Buffer): Buffer {
  const body = drawBody(chance, gzipped);
  const isWellFormed = chance.happens(0.85);
  const version = isWellFormed
    ? "HTTP/1.1"
    : chance.pick(["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/9", "", "http/1.1"]);
  const method = isWellFormed ? chance.pick(["POST", "GET", "OPTIONS", "HEAD"]) : drawValue(chance, "method");
  const host = chance.happens(0.8) ? "localhost" : drawValue(chance, "authority");
  const lines = [
    `${method} ${isWellFormed ? drawValue(chance, "path").replace(/[^\x21-\x7e]/g, "") || "/" : drawValue(chance, "path")} ${version}`,
    `host: ${isWellFormed ? host.replace(/[^\x20-\x7e]/g, "") : host}`,
    `content-type: ${drawValue(chance, "contentType").replace(/[\r\n\0]/g, "")}`,
    ...drawHeaders(chance)
      .filter(([name]) => name !== "host" || !isWellFormed)
      .map(([name, value]) => `${name}: ${isWellFormed ? value.replace(/[^\x20-\x7e]/g, "") : value}`),
  ];
  const framing = chance.happens(0.9) ? "length" : chance.pick(["chunked", "both", "wrong", "none", "odd"]);
  if (framing === "length" || framing === "both") lines.push(`content-length: ${body.length}`);
  if (framing === "chunked" || framing === "both") lines.push("transfer-encoding: chunked");
  if (framing === "wrong")
    lines.push(`content-length: ${chance.pick(["-1", "1e9", "99999999999999999999", "", "5,5", "100"])}`);
  if (framing === "odd")
    lines.push(`transfer-encoding: ${chance.pick(["gzip", "chunked, gzip", "xchunked", ""])}`);
  const end = chance.pick(isWellFormed ? ["\r\n"] : ["\r\n", "\n", "\r", "\r\n "]);
  const head = Buffer.from(`${lines.join(end)}${end}${end}`, "latin1");
  if (framing !== "chunked") return Buffer.concat([head, body]);
  const size = chance.pick([
    body.length.toString(16),
    `${body.length.toString(16)};a=b`,
    "ffffffffffffffff",
    "g",
    "",
  ]);
  return Buffer.concat([head, Buffer.from(`${size}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);
}
