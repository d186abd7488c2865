import type { TaskType } from "../../domain/deployment.ts";
import type { GenerationRequest } from "../../domain/request.ts";

/**
 * Guesses the task of a request whose caller names none. The guess weighs in the choice;
 * it never removes a candidate. Must answer at once, in bounded time, the same for the same request.
 */
export interface TaskClassifier {
  classify(request: GenerationRequest): TaskType;
}
