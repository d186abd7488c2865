import type { Message } from "@bufbuild/protobuf";
import type { RpcStatus } from "../../service/encode-error.ts";
import { type CallMetadata, type CallParts, ServerCall, type ServerStreamCall } from "../rpc/server-call.ts";
import { makeCallerGoneError, toConnectError } from "./connect-error.ts";
import { MessageQueue } from "./message-queue.ts";

/** A server-streaming call through Connect; `messages` is what Connect sends. */
export class ServerStream extends ServerCall implements ServerStreamCall {
  readonly metadata: CallMetadata;
  readonly messages = new MessageQueue();

  constructor(parts: CallParts, metadata: CallMetadata) {
    super(parts);
    this.metadata = metadata;
    // A suspended reader wakes only by its sequence: without this it would wait for ever.
    parts.scope.onClose(() => {
      this.settle("CANCELLED");
      this.messages.abandon(makeCallerGoneError());
    });
  }

  write(batch: readonly Message[]): boolean {
    return this.ended || this.messages.push(batch);
  }

  onDrain(fn: () => void): void {
    this.messages.onDrain(() => this.guard(fn));
  }

  end(): void {
    if (this.settle("OK")) this.messages.end();
  }

  protected deliver(status: RpcStatus): void {
    this.messages.end(toConnectError(status));
  }
}
