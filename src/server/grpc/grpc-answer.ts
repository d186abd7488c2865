import type { OutgoingHttpHeaders } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import type { RpcStatus } from "../../service/encode-error.ts";
import { encodeGrpcMessage } from "../rpc/grpc-message.ts";
import type { RpcExchange } from "../rpc/rpc-exchange.ts";

/** What a caller may compress its requests with; those calls go another way. */
const ACCEPTED_ENCODINGS = "gzip,br";

/** Writes one answer: headers before the first message, messages, and the status in trailers (gRPC PROTOCOL-HTTP2, Responses). */
export class GrpcAnswer {
  readonly #exchange: RpcExchange;
  readonly #headers: OutgoingHttpHeaders;
  readonly #trailers: OutgoingHttpHeaders = {};
  #begun = false;

  constructor(exchange: RpcExchange, contentType: string) {
    this.#exchange = exchange;
    this.#headers = { "content-type": contentType, "grpc-accept-encoding": ACCEPTED_ENCODINGS };
  }

  addHeader(name: string, value: string): void {
    append(this.#headers, name, value);
  }

  addTrailer(name: string, value: string): void {
    append(this.#trailers, name, value);
  }

  /** Sends whole frames. False when the caller reads too slowly. */
  write(frames: Uint8Array): boolean {
    const { wire } = this.#exchange;
    if (wire.closed) return true;
    this.#begin();
    return wire.write(frames);
  }

  /** Ends the answer with OK, or with the status of a failure. */
  end(status: RpcStatus | undefined): void {
    const { wire, scope } = this.#exchange;
    if (wire.closed) return;
    this.#begin();
    const trailers = this.#trailers;
    for (const [name, value] of Object.entries(status?.trailers ?? {})) append(trailers, name, value);
    trailers["grpc-status"] = String(status?.code ?? 0);
    if (status !== undefined) {
      trailers["grpc-message"] = encodeGrpcMessage(status.message);
      if (status.details.length > 0) trailers["grpc-status-details-bin"] = encodeDetails(status);
    }
    wire.end(trailers);
    if (!wire.requestComplete) scope.linger();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#exchange.wire.writeHead(200, this.#headers);
  }
}

/** `google.rpc.Status` in the base64 of binary metadata, without padding as gRPC advises. */
function encodeDetails({ code, message, details }: RpcStatus): string {
  const status = create(StatusSchema, {
    code,
    message: message.toWellFormed(),
    details: details.map(({ desc, value }) => anyPack(desc, value)),
  });
  return Buffer.from(toBinary(StatusSchema, status)).toString("base64").replace(/=+$/, "");
}

function append(fields: OutgoingHttpHeaders, name: string, value: string): void {
  const known = fields[name];
  if (known === undefined) fields[name] = value;
  else fields[name] = [...(Array.isArray(known) ? known : [String(known)]), value];
}
