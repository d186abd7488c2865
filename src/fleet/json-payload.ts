import { createRegistry, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { file_sluice_v1_events, SnapshotSchema } from "../../gen/sluice/v1/events_pb.ts";
import { MAX_MESSAGE_BYTES, MAX_SNAPSHOT_BYTES } from "./decode-health.ts";

const registry = createRegistry(file_sluice_v1_events);

/** JSON takes some four times what protobuf does, and at worst eight times. */
const MAX_JSON_RATIO = 8;

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

/** The protobuf form of what `toJsonPayload` made; undefined for other types, for what is no such message, and above eight times the bound of its protobuf form. */
export function fromJsonPayload(type: string, payload: Uint8Array): Uint8Array | undefined {
  const schema = registry.getMessage(type);
  const maxBytes = type === SnapshotSchema.typeName ? MAX_SNAPSHOT_BYTES : MAX_MESSAGE_BYTES;
  if (schema === undefined || payload.length > maxBytes * MAX_JSON_RATIO) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    return toBinary(schema, fromJsonString(schema, text, { ignoreUnknownFields: true }));
  } catch {
    return undefined;
  }
}
