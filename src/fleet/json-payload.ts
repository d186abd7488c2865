import { createRegistry, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { file_sluice_v1_events } from "../../gen/sluice/v1/events_pb.ts";

const registry = createRegistry(file_sluice_v1_events);

/** JSON takes some four times the 16 KiB that a message may have. */
const MAX_JSON_BYTES = 128 * 2 ** 10;

/**
 * A message of events.proto as the JSON form of protobuf; undefined for other types and what is no such
 * message. What this version does not know of a message is left out.
 */
export function toJsonPayload(type: string, payload: Uint8Array): Uint8Array | undefined {
  const schema = registry.getMessage(type);
  if (schema === undefined) return undefined;
  try {
    return new TextEncoder().encode(toJsonString(schema, fromBinary(schema, payload)));
  } catch {
    return undefined;
  }
}

/** The protobuf form of what `toJsonPayload` made; undefined for other types, for what is no such message, and above 128 KiB. */
export function fromJsonPayload(type: string, payload: Uint8Array): Uint8Array | undefined {
  const schema = registry.getMessage(type);
  if (schema === undefined || payload.length > MAX_JSON_BYTES) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    return toBinary(schema, fromJsonString(schema, text, { ignoreUnknownFields: true }));
  } catch {
    return undefined;
  }
}
