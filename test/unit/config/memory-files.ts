import type { ConfigFiles, FileText } from "../../../src/config/config-files.ts";
import { type LoadOptions, type LoadResult, loadConfig } from "../../../src/config/load-config.ts";
import { formatProblem } from "../../../src/config/problem.ts";

/** Files that exist only in a test, by absolute path; a non-text stands for what reading it gives. */
export function memoryFiles(content: Readonly<Record<string, string | FileText>>): ConfigFiles {
  return {
    readText(path) {
      const file = Object.hasOwn(content, path) ? content[path] : undefined;
      if (file === undefined) return { kind: "missing" };
      return typeof file === "string" ? { kind: "text", text: file } : file;
    },
  };
}

/** Loads `/project/sluice.yaml` with this text. */
export function loadText(text: string, options: Partial<LoadOptions> = {}): LoadResult {
  return loadConfig({
    env: {},
    folder: "/project",
    files: memoryFiles({ "/project/sluice.yaml": text }),
    ...options,
  });
}

/** The problems as lines, or none. */
export function listProblems(result: LoadResult): string[] {
  return result.ok ? [] : result.problems.map(formatProblem);
}

/** The configuration, where there must be one. */
export function expectConfig(result: LoadResult) {
  if (!result.ok) throw new Error(`refused:\n${listProblems(result).join("\n")}`);
  return result.config;
}

/** A file with one provider and one model; its parts can be replaced. */
export function catalogYaml(
  parts: { readonly provider?: string; readonly model?: string; readonly deployment?: string } = {},
): string {
  return `providers:
  p:
    ${parts.provider ?? "{ kind: simulator }"}
models:
  - name: m
    context_window_tokens: 1000
    max_output_tokens: 100
    ${parts.model ?? ""}
    deployments:
      - provider: p
        ${parts.deployment ?? ""}
`;
}
