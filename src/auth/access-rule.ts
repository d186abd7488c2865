import type { Scope } from "../domain/caller.ts";

/** Who may use a method or a path: anyone, whoever has a scope, or what the operator may open to all. */
export type AccessRule = Scope | "open" | "reflection" | "metrics page";
