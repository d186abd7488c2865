import { expect } from "chai";
import { observeCode } from "../../../src/server/connect/observed-code.ts";

describe("the status that an answer carries", () => {
  const frame = (flags: number, text: string): Uint8Array =>
    Buffer.concat([Buffer.from([flags, 0, 0, 0, text.length]), Buffer.from(text)]);
  const plain = {
    httpStatus: 200,
    contentType: "application/grpc+proto",
    grpcStatus: null,
    lastChunk: undefined,
  };

  for (const [title, answer, code] of [
    ["gRPC's trailer", { ...plain, grpcStatus: "8" }, "RESOURCE_EXHAUSTED"],
    [
      "gRPC-Web's last frame",
      { ...plain, contentType: "application/grpc-web+proto", lastChunk: frame(0x80, "grpc-status: 13\r\n") },
      "INTERNAL",
    ],
    [
      "the end of a Connect stream",
      {
        ...plain,
        contentType: "application/connect+json",
        lastChunk: frame(2, '{"error":{"code":"not_found"}}'),
      },
      "NOT_FOUND",
    ],
    [
      "the good end of a Connect stream",
      { ...plain, contentType: "application/connect+proto", lastChunk: frame(2, "{}") },
      "OK",
    ],
    [
      "the body of a Connect error",
      {
        ...plain,
        httpStatus: 499,
        contentType: "application/json",
        lastChunk: Buffer.from('{"code":"canceled"}'),
      },
      "CANCELLED",
    ],
    ["a Connect answer", { ...plain, contentType: "application/proto", lastChunk: Buffer.from("x") }, "OK"],
    ["a bare HTTP status", { ...plain, httpStatus: 415, contentType: "" }, "HTTP_415"],
  ] as const) {
    it(`is read from ${title}`, () => expect(observeCode(answer)).to.equal(code));
  }
});
