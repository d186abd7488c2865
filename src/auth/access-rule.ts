import type { Scope } from "../domain/caller.ts";

/** Who may use a method or a path: anyone, whoever has a scope, or reflection's own rule. */
export type AccessRule = Scope | "open" | "reflection";
