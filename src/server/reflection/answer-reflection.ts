import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import type { DescriptorIndex } from "./descriptor-index.ts";

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;

/**
 * Answers one request of grpc.reflection.v1. `sent` holds the files this stream has
 * had already: the protocol lets a server leave those out (reflection.proto,
 * FileDescriptorResponse). What is asked for itself is always sent.
 */
export function answerReflection(
  request: ServerReflectionRequest,
  index: DescriptorIndex,
  serviceNames: readonly string[],
  sent: Set<string>,
): ServerReflectionResponse {
  return create(ServerReflectionResponseSchema, {
    validHost: request.host,
    originalRequest: request,
    messageResponse: choose(request, index, serviceNames, sent),
  });
}

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

function choose(
  { messageRequest: asked }: ServerReflectionRequest,
  index: DescriptorIndex,
  serviceNames: readonly string[],
  sent: Set<string>,
): Answer {
  switch (asked.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: serviceNames.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return sendFile(index.findByName(asked.value), index, sent);
    case "fileContainingSymbol":
      return sendFile(index.findBySymbol(asked.value), index, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      return sendFile(index.findByExtension(containingType, extensionNumber), index, sent);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.listExtensions(asked.value);
      if (extensionNumber === undefined) return refuse(NOT_FOUND, "no message of that name is known");
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: asked.value, extensionNumber },
      };
    }
    default:
      return refuse(INVALID_ARGUMENT, "message_request must be set to a request this server knows");
  }
}

function sendFile(
  file: ReturnType<DescriptorIndex["findByName"]>,
  index: DescriptorIndex,
  sent: Set<string>,
): Answer {
  if (file === undefined) return refuse(NOT_FOUND, "nothing of that name is known");
  sent.delete(file.name);
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: index.collect(file, sent) },
  };
}

function refuse(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
