/** Names and values of the environment; undefined means not set. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What replacing the variables in a text gave. */
export interface Interpolated {
  readonly text: string;
  /** Whether a value of the environment, or a default in its place, is part of the text. */
  readonly replaced: boolean;
  /** The variables that are not set and have no default, each once. */
  readonly missing: readonly string[];
  /** Whether some `${` is neither `${NAME}` nor `${NAME:-default}`. */
  readonly malformed: boolean;
}

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Replaces `${NAME}` by the variable's value, as it is, and `${NAME:-default}` by the
 * default when the variable is unset or empty, as shells do. `$${` gives `${`. Values
 * are not searched again.
 */
export function interpolate(text: string, env: Env): Interpolated {
  const missing = new Set<string>();
  let replaced = false;
  let malformed = false;
  const result = text.replace(REFERENCE, (match: string, name?: string, fallback?: string) => {
    if (match === "$${") return "${";
    if (name === undefined) {
      malformed = true;
      return match;
    }
    replaced = true;
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
    if (value === undefined) missing.add(name);
    return value ?? "";
  });
  return { text: result, replaced, missing: [...missing], malformed };
}
