import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interopPlan } from "./interop-plan.ts";

/** The plan on disk: it is longer than an argument of a program may be. */
export interface PlanFile {
  readonly path: string;
  remove(): Promise<void>;
}

/** Writes the plan for clients in other languages. */
export async function writePlanFile(): Promise<PlanFile> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-interop-"));
  const path = join(folder, "plan.json");
  await writeFile(path, JSON.stringify(interopPlan));
  return { path, remove: () => rm(folder, { recursive: true }) };
}
