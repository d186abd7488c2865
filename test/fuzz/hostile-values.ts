import type { Chance } from "./chance.ts";

/** Values of headers and pseudo-headers that are right, nearly right, or wrong in every way we can think of. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  path: [
    "/sluice.v1.ModelService/ListModels",
    "/sluice.v1.ModelService/GetModel",
    "/sluice.v1.RouterService/StreamGenerate",
    "/sluice.v1.ModelService/ListModels?encoding=json&message=%7B%7D&connect=v1",
    "/sluice.v1.ModelService/ListModels?encoding=proto&base64=1&compression=gzip&message=////",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/v1/chat/completions",
    "/v1/../sluice.v1.ModelService/ListModels",
    "/sluice.v1.ModelService//ListModels",
    "/sluice.v1.ModelService/listModels",
    "/%00",
    "/%zz",
    "//[",
    "*",
    "",
    "/",
    "http://[/",
    "/__proto__/constructor",
    `/${"a".repeat(9_000)}`,
  ],
  authority: [
    "localhost",
    "127.0.0.1:80",
    "[::1]:80",
    "[",
    "]",
    "a@b",
    "a:99999",
    "a:b",
    "",
    " ",
    "a b",
    "\u00ff",
    "a/../b",
    "xn--0",
    "%00",
    "a".repeat(300),
    "[::1",
    "0x7f.1",
    "a..b",
  ],
  timeout: [
    "1S",
    "600H",
    "99999999H",
    "0n",
    "1n",
    "-1S",
    "1.5S",
    "S",
    "",
    "123456789S",
    "NaN",
    "1e3m",
    "0x1S",
    "10000",
    "9999999999",
    "99999999999",
    "\u00bd",
  ],
  contentType: [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web",
    "application/grpc-web-text",
    "application/grpc-web+proto",
    "application/proto",
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=",
    "application/connect+proto",
    "application/connect+json",
    "application/grpc+\u00e4",
    "text/plain",
    "",
    ";;;",
    "a".repeat(500),
  ],
  encoding: ["identity", "gzip", "br", "deflate", "zstd", "", "gzip,br", "GZIP", "x".repeat(200)],
  method: [
    "POST",
    "POST",
    "POST",
    "GET",
    "HEAD",
    "OPTIONS",
    "PUT",
    "TRACE",
    "CONNECT",
    "post",
    "P\u00d6ST",
    "",
  ],
  requestId: ["ok-1", "", "x".repeat(200), "a b", "a\tb", "\u00e4", '"}{"'],
  traceparent: [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0-0-0",
    "ff",
    "",
    "00-".repeat(60),
  ],
  authorization: [
    "Bearer x",
    "Bearer",
    "bearer  ",
    "Basic Og==",
    "\u00ff",
    "Bearer ".concat("y".repeat(2_000)),
  ],
  anything: [
    "",
    " ",
    "\u0000",
    "\u007f",
    "a\r\nb",
    "\u00ff\u00fe",
    "AA==",
    "=",
    "_",
    "y".repeat(4_000),
    "%",
    ",",
  ],
};

const NAMES = [
  ["grpc-timeout", "timeout"],
  ["connect-timeout-ms", "timeout"],
  ["grpc-encoding", "encoding"],
  ["grpc-accept-encoding", "encoding"],
  ["content-encoding", "encoding"],
  ["accept-encoding", "encoding"],
  ["connect-content-encoding", "encoding"],
  ["connect-accept-encoding", "encoding"],
  ["connect-protocol-version", "timeout"],
  ["x-request-id", "requestId"],
  ["traceparent", "traceparent"],
  ["authorization", "authorization"],
  ["origin", "authority"],
  ["access-control-request-method", "method"],
  ["te", "encoding"],
  ["x-anything", "anything"],
  ["x-binary-bin", "anything"],
  ["grpc-status", "anything"],
  ["__proto__", "anything"],
  ["expect", "anything"],
  ["cookie", "anything"],
  ["host", "authority"],
] as const;

/** One value of a kind; now and then one that only chance could make. */
export function drawValue(chance: Chance, kind: string): string {
  if (chance.happens(0.05)) return chance.bytes(40).toString("latin1");
  return chance.pick(VALUES[kind] ?? []);
}

/** A few headers beside the necessary ones. */
export function drawHeaders(chance: Chance): readonly (readonly [name: string, value: string])[] {
  return Array.from({ length: chance.below(4) }, () => {
    const [name, kind] = chance.pick(NAMES);
    return [name, drawValue(chance, kind)] as const;
  });
}

/** Bytes of a body: messages in envelopes, compressed or said to be, or anything. */
export function drawBody(chance: Chance, gzipped: Buffer): Buffer {
  if (chance.happens(0.15)) return chance.bytes(300);
  if (chance.happens(0.1))
    return Buffer.from(chance.pick(["{}", "{", "[]", '{"name":1}', '{"name":"\\ud800"}', "null"]));
  const message = chance.happens(0.3) ? gzipped : chance.bytes(100);
  const head = Buffer.alloc(5);
  head.writeUInt8(chance.happens(0.6) ? 0 : chance.below(256));
  const lengths = [message.length, 0, 1, message.length + 1, 65_537, 0x7fffffff, 0xffffffff];
  head.writeUInt32BE(chance.happens(0.6) ? message.length : chance.pick(lengths), 1);
  const envelope = Buffer.concat([head, message]);
  return chance.happens(0.2) ? Buffer.concat([envelope, envelope]) : envelope;
}
