/** Turns the payload of a message of a named type into JSON and back. Neither throws: undefined for what cannot be. */
export interface PayloadCodec {
  /** From protobuf to the JSON form of protobuf, as UTF-8. */
  toJson(type: string, payload: Uint8Array): Uint8Array | undefined;
  fromJson(type: string, payload: Uint8Array): Uint8Array | undefined;
}
