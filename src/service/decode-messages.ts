/** The contract's messages to ours, with the rules that Message states. */

import {
  type ContentPart as ContentPartMessage,
  ImageDetail,
  type Image as ImageMessage,
  type Message as MessageMessage,
  Role as RoleEnum,
} from "../../gen/sluice/v1/generation_pb.ts";
import type { ContentPart, Message, Role } from "../domain/request.ts";
import { MAX_TEXT_CHARACTERS, NAME_PATTERN, NAME_RULE, type Violations } from "./violations.ts";

const MAX_IMAGE_BYTES = 8 * 1024 * 1024;
const MAX_URL_CHARACTERS = 2_048;
const MAX_CALL_ID_CHARACTERS = 256;
const IMAGE_TYPES: readonly string[] = ["image/png", "image/jpeg", "image/webp", "image/gif"];

const ROLES: Readonly<Record<RoleEnum, Role | undefined>> = {
  [RoleEnum.UNSPECIFIED]: undefined,
  [RoleEnum.SYSTEM]: "system",
  [RoleEnum.USER]: "user",
  [RoleEnum.ASSISTANT]: "assistant",
  [RoleEnum.TOOL]: "tool",
};

/** Checks and translates messages; what is wrong goes to `violations`. */
export function decodeMessages(
  messages: readonly MessageMessage[],
  violations: Violations,
): readonly Message[] {
  return messages.map((message, index) => decodeMessage(message, `spec.messages[${index}]`, violations));
}

function decodeMessage(message: MessageMessage, path: string, violations: Violations): Message {
  const role = ROLES[message.role];
  if (role === undefined) {
    violations.add(`${path}.role`, "must be ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT or ROLE_TOOL");
  }
  if (message.name !== "" && !NAME_PATTERN.test(message.name)) violations.add(`${path}.name`, NAME_RULE);
  checkToolFields(message, role, path, violations);
  const mayBeEmpty = role === "tool" || (role === "assistant" && message.toolCalls.length > 0);
  if (message.parts.length === 0 && !mayBeEmpty) {
    violations.add(`${path}.parts`, "must have at least one part");
  }
  return {
    role: role ?? "user",
    parts: message.parts.flatMap((part, index) =>
      decodePart(part, role, `${path}.parts[${index}]`, violations),
    ),
    ...(message.name === "" ? {} : { name: message.name }),
    ...(message.toolCalls.length === 0
      ? {}
      : {
          toolCalls: message.toolCalls.map((call) => ({
            callId: call.callId,
            name: call.name,
            arguments: call.arguments,
            ...(call.thoughtSignature === "" ? {} : { thoughtSignature: call.thoughtSignature }),
          })),
        }),
    ...(message.toolCallId === "" ? {} : { toolCallId: message.toolCallId }),
  };
}

function checkToolFields(
  message: MessageMessage,
  role: Role | undefined,
  path: string,
  violations: Violations,
): void {
  if (role === "tool") {
    if (message.toolCallId === "") violations.add(`${path}.tool_call_id`, "must be set on a tool message");
  } else if (message.toolCallId !== "") {
    violations.add(`${path}.tool_call_id`, "is allowed on tool messages only");
  }
  if (message.toolCallId.length > MAX_CALL_ID_CHARACTERS) {
    violations.add(`${path}.tool_call_id`, `must have at most ${MAX_CALL_ID_CHARACTERS} characters`);
  }
  if (message.toolCalls.length > 0 && role !== "assistant") {
    violations.add(`${path}.tool_calls`, "are allowed on assistant messages only");
  }
  for (const [index, call] of message.toolCalls.entries()) {
    const callPath = `${path}.tool_calls[${index}]`;
    if (call.callId === "" || call.callId.length > MAX_CALL_ID_CHARACTERS) {
      violations.add(`${callPath}.call_id`, `must have 1 to ${MAX_CALL_ID_CHARACTERS} characters`);
    }
    if (call.name === "" || call.name.length > MAX_CALL_ID_CHARACTERS) {
      violations.add(`${callPath}.name`, `must have 1 to ${MAX_CALL_ID_CHARACTERS} characters`);
    }
    if (call.arguments.length > MAX_TEXT_CHARACTERS) violations.addTooLong(`${callPath}.arguments`);
    if (call.thoughtSignature.length > MAX_TEXT_CHARACTERS) {
      violations.addTooLong(`${callPath}.thought_signature`);
    }
  }
}

function decodePart(
  { part }: ContentPartMessage,
  role: Role | undefined,
  path: string,
  violations: Violations,
): readonly ContentPart[] {
  switch (part.case) {
    case "text":
      if (part.value === "") violations.add(`${path}.text`, "must not be empty");
      if (part.value.length > MAX_TEXT_CHARACTERS) violations.addTooLong(`${path}.text`);
      return [{ kind: "text", text: part.value }];
    case "image":
      if (role !== "user") violations.add(`${path}.image`, "is allowed in user messages only");
      return decodeImage(part.value, `${path}.image`, violations);
    case undefined:
      violations.add(path, "must set text or image");
      return [];
  }
}

const DETAILS: Readonly<Record<ImageDetail, "low" | "high" | undefined>> = {
  [ImageDetail.UNSPECIFIED]: undefined,
  [ImageDetail.LOW]: "low",
  [ImageDetail.HIGH]: "high",
};

function decodeImage(image: ImageMessage, path: string, violations: Violations): readonly ContentPart[] {
  const detail = DETAILS[image.detail];
  if (!Object.hasOwn(DETAILS, image.detail)) {
    violations.add(`${path}.detail`, `${image.detail} is not a known value`);
  }
  const withDetail = detail === undefined ? {} : { detail };
  switch (image.source.case) {
    case "url": {
      const url = image.source.value;
      if (!isHttpsUrl(url)) {
        violations.add(`${path}.url`, `must be an https address of at most ${MAX_URL_CHARACTERS} characters`);
      }
      if (image.mediaType !== "") violations.add(`${path}.media_type`, "must be left out with url");
      return [{ kind: "image", source: { kind: "url", url }, ...withDetail }];
    }
    case "data": {
      const data = image.source.value;
      if (data.length === 0 || data.length > MAX_IMAGE_BYTES) {
        violations.add(`${path}.data`, `must have 1 to ${MAX_IMAGE_BYTES} bytes; it has ${data.length}`);
      }
      if (!IMAGE_TYPES.includes(image.mediaType)) {
        violations.add(`${path}.media_type`, `must be one of ${IMAGE_TYPES.join(", ")}`);
      }
      return [{ kind: "image", source: { kind: "data", data, mediaType: image.mediaType }, ...withDetail }];
    }
    case undefined:
      violations.add(path, "must set url or data");
      return [];
  }
}

/** Passed on and never fetched by us; still, only what a provider may be asked to fetch. */
function isHttpsUrl(text: string): boolean {
  // URL parsers drop blanks and turn backslashes round; what is passed on is the text itself.
  if (text.length > MAX_URL_CHARACTERS || !/^[^\s\p{Cc}\\]+$/u.test(text) || !URL.canParse(text))
    return false;
  const url = new URL(text);
  return url.protocol === "https:" && url.username === "" && url.password === "";
}
