import type { Message } from "@bufbuild/protobuf";
import type { RpcStatus } from "../../service/encode-error.ts";
import {
  type CallMetadata,
  type CallParts,
  describeCancel,
  ServerCall,
  type ServerUnaryCall,
} from "../rpc/server-call.ts";
import { toConnectError } from "./connect-error.ts";

/** A unary call through Connect; its answer or error settles a promise. */
export class ServerUnary extends ServerCall implements ServerUnaryCall {
  readonly metadata: CallMetadata;
  readonly #answer = Promise.withResolvers<Message>();

  constructor(parts: CallParts, metadata: CallMetadata) {
    super(parts);
    this.metadata = metadata;
    parts.scope.onClose(() => this.fail(describeCancel(parts.scope.cancelled ?? "caller_gone")));
  }

  /** Resolves with the answer, rejects with a ConnectError. */
  get answer(): Promise<Message> {
    return this.#answer.promise;
  }

  respond(response: Message): void {
    if (this.settle("OK")) this.#answer.resolve(response);
  }

  protected deliver(status: RpcStatus): void {
    this.#answer.reject(toConnectError(status));
  }
}
