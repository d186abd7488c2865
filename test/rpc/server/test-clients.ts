import { type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { type ChannelCredentials, Client, type ClientOptions, credentials } from "@grpc/grpc-js";

/** A client's way to the server, and how to let go of it. */
export interface TestTransport {
  readonly name: string;
  open(baseUrl: string, ca?: string): { readonly transport: Transport; close(): void };
}

const protocols = {
  gRPC: createGrpcTransport,
  "gRPC-Web": createGrpcWebTransport,
  Connect: createConnectTransport,
} as const;

/** Every protocol over both HTTP versions. */
export const testTransports: readonly TestTransport[] = Object.entries(protocols).flatMap(
  ([name, create]) => [
    {
      name: `${name} over HTTP/1.1`,
      open: (baseUrl: string, ca?: string) => ({
        transport: create({ httpVersion: "1.1", baseUrl, nodeOptions: { agent: undefined, ca } }),
        close: () => {},
      }),
    },
    {
      name: `${name} over HTTP/2`,
      open: (baseUrl: string, ca?: string) => {
        const sessionManager = new Http2SessionManager(baseUrl, {}, ca === undefined ? {} : { ca });
        return {
          transport: create({ httpVersion: "2", baseUrl, sessionManager }),
          close: () => sessionManager.abort(),
        };
      },
    },
  ],
);

/** The transport with this name. */
export function findTransport(name: string): TestTransport {
  const found = testTransports.find((transport) => transport.name === name);
  if (found === undefined) throw new Error(`no transport is called ${name}`);
  return found;
}

/** A grpc-js client for `target`, which calls methods by their descriptors. */
export function openGrpcJs(
  port: number,
  channel: ChannelCredentials = credentials.createInsecure(),
  options: ClientOptions = {},
): Client {
  return new Client(`127.0.0.1:${port}`, channel, {
    ...options,
    "grpc.enable_retries": 0,
    // TLS has no server names that are addresses.
    "grpc.ssl_target_name_override": "localhost",
    "grpc.default_authority": "localhost",
  });
}

/** What grpc-js wants to know of a method. */
export function describeForGrpcJs<M extends DescMethod>(method: M) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    serialize: (message: Parameters<typeof toBinary<M["input"]>>[1]) =>
      Buffer.from(toBinary(method.input, message)),
    deserialize: (bytes: Buffer) => fromBinary(method.output as M["output"], bytes),
  };
}
