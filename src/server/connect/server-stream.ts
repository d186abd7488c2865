import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { makeCallerGoneError } from "./connect-error.ts";
import { MessageQueue } from "./message-queue.ts";
import { type CallParts, ServerCall, type ServerStreamCall } from "./server-call.ts";

/** A server-streaming call; `messages` is what Connect sends. */
export class ServerStream extends ServerCall implements ServerStreamCall {
  readonly messages = new MessageQueue();

  constructor(parts: CallParts) {
    super(parts);
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

  protected deliver(error: ConnectError): void {
    this.messages.end(error);
  }
}
