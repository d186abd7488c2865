/** One thing that is wrong in the configuration. Holds no value that may be secret. */
export interface ConfigProblem {
  /** Where it is: the file as it was named, `.env`, `environment` or `command line`. */
  readonly source: string;
  /** The field, such as `models[0].deployments[1].provider`, or the variable or flag; empty for a whole file. */
  readonly path: string;
  /** From 1, where the file gives it. */
  readonly line?: number;
  /** From 1, where the file gives it. */
  readonly column?: number;
  /** Follows the path: `is missing`. */
  readonly wrong: string;
  /** Follows "right would be": `a whole number from 1 to 10`. */
  readonly right: string;
}

/** The way to a value in a YAML file: keys and indexes from 0. */
export type ValuePath = readonly (string | number)[];

const LONGEST_KEY_CHARS = 40;

/** Writes a path as text. Keys other than plain words are quoted, long ones cut. */
export function formatPath(path: ValuePath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z0-9_-]{1,40}$/.test(step)) text += `[${quoteName(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/** Quotes a name for a problem's text, on one line and cut to 40 characters. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > LONGEST_KEY_CHARS ? `${name.slice(0, LONGEST_KEY_CHARS)}…` : name);
}

/** Writes a problem as one line: `sluice.yaml:3:5: server.address is missing; right would be host:port`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = [problem.source, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  const subject = problem.path === "" ? "the file" : problem.path;
  return `${place}: ${subject} ${problem.wrong}; right would be ${problem.right}`;
}
