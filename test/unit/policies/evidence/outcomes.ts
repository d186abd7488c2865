import { FAILURE_CLASSES, type Outcome } from "../../../../src/domain/outcome.ts";

/** Every way an attempt can end. */
export const OUTCOMES: readonly Outcome[] = ["success", ...FAILURE_CLASSES, "superseded", "local"];
