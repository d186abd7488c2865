import { parseArgs } from "node:util";
import { CONTESTANTS } from "../policies/contestants.ts";
import { DataError } from "../world/read-json.ts";
import { REGIMES, type Regime } from "../world/regime.ts";

/** What `npm run sim` was asked for. */
export interface SimOptions {
  /** Upper-case ids; empty means all. */
  readonly scenarios: readonly string[];
  readonly seeds: readonly number[];
  readonly regimes: readonly Regime["name"][];
  /** Names; empty means all. */
  readonly policies: readonly string[];
  /** In place of the regime's number of replicas. */
  readonly replicaCount: number | undefined;
  readonly jobCount: number;
  /** Shortens every scenario. */
  readonly untilMs: number;
  readonly trace: string | undefined;
  /** So many of the trace at once. */
  readonly traceCopyCount: number;
  readonly outages: string | undefined;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  readonly html: string | undefined;
  /** Results of runs are kept here, and those that are here are not made again. */
  readonly keep: string | undefined;
  /** Tries the baselines' figures instead of comparing, and leaves the best here. */
  readonly sweep: string | undefined;
  readonly help: boolean;
}

export const HELP = `Runs the router and the other strategies in virtual time and compares them.

  node sim/run.ts [options]

  --scenario S0,S1   only these (all)
  --seeds 1-20       seeds: numbers and ranges, with commas (1-3)
  --regime NAME      tight, roomy or both (both)
  --policy a,b       only these: ${CONTESTANTS.map(({ name }) => name).join(", ")} (all)
  --replicas N       so many replicas in place of the regime's 8 (tight) and 4 (roomy)
  --minutes N        at most so many minutes of virtual time per run (each scenario's own, 30)
  --jobs N           worker threads (1)
  --trace FILE       arrivals and lengths from a CSV: seconds,prompt tokens,output tokens
                     (or its gzip), from its beginning again when it is over
  --trace-copies N   so many of the trace at once, each begun elsewhere (1)
  --outages FILE     incidents for S16 from a CSV: provider,start,end in seconds
  --json FILE --markdown FILE --html FILE   write the report there too
  --keep FILE        keep results of runs there and do not make again what is there;
                     delete it when the code has changed
  --sweep FILE       try the baselines' figures instead and leave the best there
`;

const OUTPUTS = ["json", "markdown", "html", "jobs", "keep"];
const TEXT = { type: "string" } as const;
const NAMES = [
  ...[
    "scenario",
    "seeds",
    "regime",
    "policy",
    "replicas",
    "minutes",
    "trace",
    "trace-copies",
    "outages",
    "sweep",
  ],
  ...OUTPUTS,
];
const OPTIONS = {
  ...Object.fromEntries(NAMES.map((name) => [name, TEXT])),
  help: { type: "boolean" } as const,
};

/** The command that makes the same report again: where it goes, and how many threads make it, changes nothing in it. */
export function nameCommand(args: readonly string[]): string {
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: true, tokens: true });
  const words = tokens.flatMap((token) =>
    token.kind === "option" && !OUTPUTS.includes(token.name) ? [`--${token.name}`, token.value ?? ""] : [],
  );
  return ["node sim/run.ts", ...words.map(quote)].join(" ");
}

/** For a shell: what is not plain in single quotes. */
function quote(word: string): string {
  return /^[\w./,=@:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Reads the command line. Throws `DataError`. */
export function readOptions(args: readonly string[]): SimOptions {
  let values: Partial<Record<string, string | boolean>>;
  try {
    values = parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new DataError(error instanceof Error ? error.message : "the options cannot be read");
  }
  const textOf = (name: string) => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  const regime = textOf("regime") ?? "both";
  if (regime !== "both" && regime !== "tight" && regime !== "roomy") {
    throw new DataError(`--regime: must be tight, roomy or both, not ${regime}`);
  }
  const policies = listOf(textOf("policy"));
  for (const name of policies) {
    const known = CONTESTANTS.map((each) => each.name);
    if (!known.includes(name))
      throw new DataError(`--policy: ${name} is unknown; one of ${known.join(", ")}`);
  }
  if (textOf("trace-copies") !== undefined && textOf("trace") === undefined)
    throw new DataError("--trace-copies: needs --trace");
  return {
    scenarios: listOf(textOf("scenario")).map((id) => id.toUpperCase()),
    seeds: readSeeds(textOf("seeds") ?? "1-3"),
    regimes: regime === "both" ? (Object.keys(REGIMES) as Regime["name"][]) : [regime],
    policies,
    replicaCount:
      textOf("replicas") === undefined ? undefined : readCount("--replicas", textOf("replicas") ?? "", 64),
    jobCount: readCount("--jobs", textOf("jobs") ?? "1", 64),
    untilMs:
      textOf("minutes") === undefined
        ? Infinity
        : readCount("--minutes", textOf("minutes") ?? "", 1e5) * 60_000,
    trace: textOf("trace"),
    traceCopyCount: readCount("--trace-copies", textOf("trace-copies") ?? "1", 1_000),
    outages: textOf("outages"),
    json: textOf("json"),
    markdown: textOf("markdown"),
    html: textOf("html"),
    keep: textOf("keep"),
    sweep: textOf("sweep"),
    help: values.help === true,
  };
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function readCount(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    throw new DataError(`${name}: must be a whole number from 1 to ${max}, not ${text}`);
  }
  return value;
}

const MAX_SEED_COUNT = 10_000;

/** Reads `1-3,7`. */
function readSeeds(text: string): readonly number[] {
  const seeds = listOf(text).flatMap((part) => {
    const [first = "", last = first, ...rest] = part.split("-");
    if (rest.length > 0) throw new DataError(`--seeds: ${part} is no range`);
    const from = readCount("--seeds", first, 2 ** 31);
    const to = readCount("--seeds", last, 2 ** 31);
    if (to < from || to - from >= MAX_SEED_COUNT) throw new DataError(`--seeds: ${part} is no range`);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  if (seeds.length === 0) throw new DataError("--seeds: must be numbers and ranges such as 1-20");
  return [...new Set(seeds)];
}
