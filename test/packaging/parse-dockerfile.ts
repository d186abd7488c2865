/** One instruction, its lines joined. */
export interface Instruction {
  /** In capitals: COPY, RUN … */
  readonly keyword: string;
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** What follows one FROM. */
export interface Stage {
  readonly name: string;
  /** As written, for example `${NODE_IMAGE}`. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile as far as ours goes: no heredocs, no escape directive. */
export interface Dockerfile {
  /** What stands before the first FROM. */
  readonly preamble: readonly Instruction[];
  readonly stages: readonly Stage[];
}

/** Reads a Dockerfile (Dockerfile reference, "Format"). Throws on a line that is no instruction. */
export function parseDockerfile(text: string): Dockerfile {
  const preamble: Instruction[] = [];
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const instruction of readInstructions(text)) {
    if (instruction.keyword === "FROM") {
      const match = /^(\S+)(?:\s+[Aa][Ss]\s+(\S+))?$/.exec(instruction.text);
      const [, base = "", name = String(stages.length)] = match ?? [];
      stages.push({ name, base, instructions: [] });
    } else {
      (stages.at(-1)?.instructions ?? preamble).push(instruction);
    }
  }
  return { preamble, stages };
}

function readInstructions(text: string): readonly Instruction[] {
  const instructions: Instruction[] = [];
  let open: { text: string; line: number } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    // Comments and empty lines may stand inside a continued instruction too.
    if (/^\s*(#|$)/.test(line)) continue;
    const joined = `${open?.text ?? ""}${line.replace(/\\\s*$/, "").trim()}`;
    const current = { text: joined, line: open?.line ?? index + 1 };
    if (/\\\s*$/.test(line)) {
      open = { ...current, text: `${joined} ` };
      continue;
    }
    open = undefined;
    const match = /^([A-Za-z]+)\s+(.+)$/.exec(current.text);
    if (match === null) throw new Error(`line ${current.line} is no instruction: ${current.text}`);
    const [, keyword = "", rest = ""] = match;
    instructions.push({ keyword: keyword.toUpperCase(), text: rest, line: current.line });
  }
  return instructions;
}

/** The names and values of an ENV, LABEL or ARG: `a=b c="d e"`. A name without a value has "". */
export function readPairs(text: string): ReadonlyMap<string, string> {
  const pairs = text.matchAll(/([^\s=]+)(?:=("(?:[^"\\]|\\.)*"|\S*))?/g);
  return new Map([...pairs].map(([, name = "", value = ""]) => [name, value.replace(/^"(.*)"$/, "$1")]));
}

/** The sources and the destination of a COPY, and the stage it takes them from; undefined is the build context. */
export function readCopy(text: string): {
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly destination: string;
} {
  const words = text.split(/\s+/);
  const paths = words.filter((word) => !word.startsWith("--"));
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  return { from, sources: paths.slice(0, -1), destination: paths.at(-1) ?? "" };
}

/** The words of an instruction in exec form; undefined when it is in shell form. */
export function readExecForm(text: string): readonly string[] | undefined {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === "string") ? words : undefined;
  } catch {
    return undefined;
  }
}
