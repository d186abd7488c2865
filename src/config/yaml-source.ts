import { type ErrorCode, LineCounter, parseDocument } from "yaml";

import type { Env } from "./interpolate.ts";
import { type ConfigProblem, formatPath, type ValuePath } from "./problem.ts";
import { readYamlTree } from "./yaml-tree.ts";

/** A YAML file as plain data, with variables replaced, that remembers where everything stands. */
export interface YamlSource {
  /** Maps, lists, text, finite numbers, booleans and null; undefined when the file is empty or no YAML. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Whether a value came, as a whole or in part, from the environment: it may be secret. */
  isInterpolated(path: ValuePath): boolean;
  /** Whether the value, or something around it, already has a problem of its own. */
  isBroken(path: ValuePath): boolean;
  /** A problem at a value; where the value is missing, at what should hold it. */
  problemAt(path: ValuePath, wrong: string, right: string): ConfigProblem;
  /** A problem at a key. */
  problemAtKey(path: ValuePath, wrong: string, right: string): ConfigProblem;
}

/** Errors after which the library's tree is still what the author meant. */
const HARMLESS: ReadonlySet<ErrorCode> = new Set(["BAD_DQ_ESCAPE", "NON_STRING_KEY", "TAG_RESOLVE_FAILED"]);

/**
 * Reads YAML 1.2 and replaces the variables in its text values. Never throws. A file
 * whose structure cannot be understood gives its syntax problems only.
 */
export function readYaml(text: string, source: string, env: Env): YamlSource {
  try {
    return readDocument(text, source, env);
  } catch (error) {
    // The library recurses; nothing of the size of a real file gets here.
    if (!(error instanceof RangeError)) throw error;
    const problem = {
      source,
      path: "",
      wrong: "is nested too deep",
      right: "a file like sluice.example.yaml",
    };
    return withoutTree([problem]);
  }
}

function readDocument(text: string, source: string, env: Env): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    // Pretty messages quote the file, and the file may hold keys.
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    logLevel: "error",
  });

  function problemAtOffset(
    offset: number | undefined,
    path: string,
    wrong: string,
    right: string,
  ): ConfigProblem {
    if (offset === undefined) return { source, path, wrong, right };
    const { line, col } = lines.linePos(offset);
    return { source, path, line, column: col, wrong, right };
  }

  const faults = [...document.errors, ...document.warnings];
  const problems: ConfigProblem[] = [];
  for (const fault of faults) {
    const problem = problemAtOffset(fault.pos[0], "", ...describeFault(fault.code));
    // One slip makes several errors; the first of a line is the one to mend.
    if (problems.every(({ line }) => line !== problem.line)) problems.push(problem);
  }
  if (faults.some((fault) => !HARMLESS.has(fault.code))) return withoutTree(problems);

  const tree = readYamlTree(document, env);
  for (const { path, offset, wrong, right } of tree.faults) {
    problems.push(problemAtOffset(offset, formatPath(path), wrong, right));
  }
  return {
    value: tree.value,
    problems,
    isInterpolated: (path) => tree.isInterpolated(path),
    isBroken: (path) => tree.isBroken(path),
    problemAt: (path, wrong, right) =>
      problemAtOffset(tree.findOffset(path, "value"), formatPath(path), wrong, right),
    problemAtKey: (path, wrong, right) =>
      problemAtOffset(tree.findOffset(path, "key"), formatPath(path), wrong, right),
  };
}

function withoutTree(problems: readonly ConfigProblem[]): YamlSource {
  const problemAt = (path: ValuePath, wrong: string, right: string): ConfigProblem => ({
    source: problems[0]?.source ?? "",
    path: formatPath(path),
    wrong,
    right,
  });
  return {
    value: undefined,
    problems,
    isInterpolated: () => false,
    isBroken: () => false,
    problemAt,
    problemAtKey: problemAt,
  };
}

/** The library's own messages repeat parts of the file, and those may be keys. */
function describeFault(code: ErrorCode): [wrong: string, right: string] {
  switch (code) {
    case "TAB_AS_INDENT":
      return ["has a tab as indentation", "spaces"];
    case "BAD_INDENT":
      return ["has a line that is indented wrongly", "the same indentation for all keys of a map"];
    case "MISSING_CHAR":
      return ["lacks a character here", "a closing quote, bracket or brace, or a comma between the parts"];
    case "BAD_ALIAS":
    case "ALIAS_PROPS":
      return ["has an alias that is not right", "`*name` of an anchor `&name` above it"];
    case "TAG_RESOLVE_FAILED":
    case "BAD_COLLECTION_TYPE":
      return ["has a tag that Sluice does not know", "the value without `!…`, in quotes if it begins so"];
    case "BAD_DQ_ESCAPE":
      return ["has a backslash that escapes nothing", "single quotes, or `\\\\` for a backslash"];
    case "BAD_SCALAR_START":
      return ["has text that begins with a reserved character", "the text in quotes"];
    case "NON_STRING_KEY":
      return ["has a key that is no text", "text before the colon"];
    case "MULTIPLE_DOCS":
      return ["has more than one document", "one document, without `---` between parts"];
    case "RESOURCE_EXHAUSTION":
      return ["is nested too deep", "a file like sluice.example.yaml"];
    default:
      return ["is not YAML from here on", "`key: value`, one to a line, or text in quotes"];
  }
}
