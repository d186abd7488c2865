/** Calls a Sluice server over gRPC. The one place that opens a channel. */

import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageShape,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { Clock } from "../domain/ports.ts";
import type { Secret } from "../lib/secret.ts";
import { type CallFailure, readCallFailure } from "./call-failure.ts";
import type { ServerAddress } from "./server-address.ts";
import { defineMethod } from "./service-definition.ts";

/** How to reach the server. */
export interface RpcClientOptions {
  readonly server: ServerAddress;
  /** `tls: undefined` means cleartext; without `rootCertificates` the system's authorities are trusted. */
  readonly tls: { readonly rootCertificates: Buffer | undefined } | undefined;
  /** Sent with each call where it is given. */
  readonly apiKey?: Secret | undefined;
  /** For the `user-agent` header. */
  readonly version: string;
  readonly clock: Clock;
}

/** The limits of one call. */
export interface CallLimits {
  /** Undefined leaves it to the server. */
  readonly timeoutMs: number | undefined;
  /** Cancels the call. */
  readonly signal: AbortSignal;
}

/** A failure is a value; only bugs throw. */
export type CallResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: CallFailure };

export interface RpcClient {
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    limits: CallLimits,
  ): Promise<CallResult<MessageShape<O>>>;
  /**
   * Hands on each message and waits for `onMessage`, which is back-pressure. When
   * it throws, the call is cancelled and the error goes on to whoever called.
   */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageShape<I>,
    limits: CallLimits,
    onMessage: (message: MessageShape<O>) => Promise<void>,
  ): Promise<CallResult<undefined>>;
  /** Closes the connection. */
  close(): void;
}

/** Whole answers may be long; grpc-js alone would refuse more than 4 MiB. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Makes a client. It connects at the first call. */
export function openRpcClient(options: RpcClientOptions): RpcClient {
  const { server, tls, version, clock, apiKey } = options;
  const channelCredentials =
    tls === undefined ? credentials.createInsecure() : credentials.createSsl(tls.rootCertificates ?? null);
  const client = new Client(server.authority, channelCredentials, {
    "grpc.primary_user_agent": `sluice-cli/${version}`,
    "grpc.max_receive_message_length": MAX_RESPONSE_BYTES,
    // A proxy of the environment is for the world outside, not for this machine.
    "grpc.enable_http_proxy": server.isLoopback ? 0 : 1,
  });
  const limit = ({ timeoutMs }: CallLimits) =>
    timeoutMs === undefined ? {} : { deadline: clock.wallMs() + timeoutMs };
  const makeMetadata = () => {
    const metadata = new Metadata();
    if (apiKey !== undefined) metadata.set("authorization", `Bearer ${apiKey.reveal()}`);
    return metadata;
  };
  return {
    unary(method, request, limits) {
      const { path, requestSerialize, responseDeserialize } = defineMethod(method);
      return new Promise((resolve) => {
        let headers: Metadata | undefined;
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          makeMetadata(),
          limit(limits),
          (error, value) => {
            limits.signal.removeEventListener("abort", cancel);
            if (error) resolve({ ok: false, failure: readCallFailure(error, headers) });
            else if (value !== undefined) resolve({ ok: true, value });
          },
        );
        const cancel = () => call.cancel();
        call.on("metadata", (metadata) => {
          headers = metadata;
        });
        watchSignal(limits.signal, cancel);
      });
    },
    async stream(method, request, limits, onMessage) {
      const { path, requestSerialize, responseDeserialize } = defineMethod(method);
      const call = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        makeMetadata(),
        limit(limits),
      );
      let headers: Metadata | undefined;
      call.on("metadata", (metadata) => {
        headers = metadata;
      });
      let failure: ServiceError | undefined;
      // The loop below throws for the status and for `onMessage` alike; this tells them apart,
      // and keeps a status that comes after the loop was left from being an unhandled error.
      call.on("error", (error: ServiceError) => {
        failure = error;
      });
      const cancel = () => call.cancel();
      watchSignal(limits.signal, cancel);
      try {
        for await (const message of call) await onMessage(message);
        return { ok: true, value: undefined };
      } catch (error) {
        if (failure === undefined || error !== failure) throw error;
        return { ok: false, failure: readCallFailure(failure, headers) };
      } finally {
        limits.signal.removeEventListener("abort", cancel);
        // Leaving the loop alone would let the server go on to the end.
        call.cancel();
      }
    },
    close: () => client.close(),
  };
}

function watchSignal(signal: AbortSignal, cancel: () => void): void {
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
}
