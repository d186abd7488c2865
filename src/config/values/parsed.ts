/**
 * What reading one value gives: the value, or what is wrong with the text and what
 * would be right. Neither text ever repeats what was read: it may be a secret.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** Follows the field's name: `is empty`. */
      readonly wrong: string;
      /** Follows "right would be": `an http or https URL`. */
      readonly right: string;
    };

/** A value that was read. */
export function readAs<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** A text that is not right. */
export function refuse(wrong: string, right: string): Parsed<never> {
  return { ok: false, wrong, right };
}
