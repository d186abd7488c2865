import type { FieldViolation } from "../domain/errors.ts";

/** Names of tools, schemas and speakers. */
export const NAME_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;
export const NAME_RULE = "must be 1 to 64 characters of A-Z, a-z, 0-9, _ and -";

/** The longest text of one field: 4 Mi UTF-16 units, more than any context window holds. */
export const MAX_TEXT_CHARACTERS = 4 * 1024 * 1024;

/** The most violations that are listed; a request with more is no easier to mend with a longer list. */
const MAX_VIOLATIONS = 50;

/** Collects what is wrong with a request, so that a caller learns it all at once. */
export class Violations {
  readonly #list: FieldViolation[] = [];

  get list(): readonly FieldViolation[] {
    return this.#list;
  }

  /** `description` says what was wrong and what would be right. */
  add(field: string, description: string): void {
    if (this.#list.length < MAX_VIOLATIONS) this.#list.push({ field, description });
  }

  addTooLong(field: string): void {
    this.add(field, `is too long; at most ${MAX_TEXT_CHARACTERS} characters are allowed`);
  }
}
