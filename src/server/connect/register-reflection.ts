import { type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflectionRequestSchema as RequestAlphaSchema,
  ServerReflectionResponseSchema as ResponseAlphaSchema,
  ServerReflection as ServerReflectionAlpha,
} from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { answerReflection } from "../reflection/answer-reflection.ts";
import { DescriptorIndex } from "../reflection/descriptor-index.ts";
import { limitMessage } from "../rpc/message-limit.ts";

/** The services that reflection adds to a server. */
export const REFLECTION_SERVICES = [ServerReflection, ServerReflectionAlpha];

/**
 * Registers grpc.reflection.v1 and v1alpha, whose messages are the same on the wire.
 * They stream both ways, which our own methods never do, so they sit on Connect itself.
 */
export function registerReflection(
  router: ConnectRouter,
  files: readonly DescFile[],
  serviceNames: readonly string[],
  maxRequestBytes: number,
): void {
  const index = new DescriptorIndex(files);
  async function* answerAll(
    requests: AsyncIterable<ServerReflectionRequest>,
  ): AsyncGenerator<ServerReflectionResponse> {
    const sent = new Set<string>();
    for await (const request of requests) yield answerReflection(request, index, serviceNames, sent);
  }
  const { serverReflectionInfo } = ServerReflection.method;
  const options = { readMaxBytes: limitMessage(serverReflectionInfo, maxRequestBytes) };
  router.rpc(serverReflectionInfo, answerAll, options);
  router.rpc(
    ServerReflectionAlpha.method.serverReflectionInfo,
    async function* (requests) {
      const sent = new Set<string>();
      for await (const alpha of requests) {
        const request = fromBinary(ServerReflectionRequestSchema, toBinary(RequestAlphaSchema, alpha));
        const response = answerReflection(request, index, serviceNames, sent);
        yield fromBinary(ResponseAlphaSchema, toBinary(ServerReflectionResponseSchema, response));
      }
    },
    options,
  );
}
