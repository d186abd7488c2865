import { pickOne } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";

/** Anybody, at random. */
export const randomPolicy: PolicyFactory = ({ random }) => ({
  choose: (_request, untried) => pickOne(untried, random),
});
