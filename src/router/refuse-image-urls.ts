import type { FieldViolation } from "../domain/errors.ts";
import type { Router } from "./route.ts";

/** Names a picture's field in the words of the caller's protocol; both indexes count from 0. */
export type NameImageField = (messageIndex: number, partIndex: number) => string;

/** The field as the contract names it. */
export const nameContractImage: NameImageField = (message, part) =>
  `spec.messages[${message}].parts[${part}].image.url`;

/** The field as OpenAI names it. */
export const nameOpenAiImage: NameImageField = (message, part) =>
  `messages[${message}].content[${part}].image_url.url`;

/** More than these help nobody to mend the request. */
const MAX_VIOLATIONS = 50;

const REFUSAL = "is refused by this server: send the picture itself, not its address";

/** A router that refuses requests with pictures given by address, and routes all others as `router` does. */
export function refuseImageUrls(router: Router, nameField: NameImageField): Router {
  return {
    route(request, context, consumer) {
      const violations = request.messages.flatMap(({ parts }, messageIndex) =>
        parts.flatMap((part, partIndex): FieldViolation[] =>
          part.kind === "image" && part.source.kind === "url"
            ? [{ field: nameField(messageIndex, partIndex), description: REFUSAL }]
            : [],
        ),
      );
      if (violations.length === 0) return router.route(request, context, consumer);
      consumer.onFailed({
        reason: "INVALID_REQUEST",
        message: "the request holds pictures by address",
        violations: violations.slice(0, MAX_VIOLATIONS),
      });
      return { resume: () => {}, cancel: () => {} };
    },
  };
}
