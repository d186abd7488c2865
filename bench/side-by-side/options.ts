import { parseArgs } from "node:util";
import { CONTESTANT_NAMES } from "./contestants.ts";
import { listMeasures, STARTUP } from "./measures.ts";

/** What to run. Names are known ones, in the order of the tables; `repeatCount` is 1 to 20. */
export interface Options {
  readonly quick: boolean;
  readonly measures: readonly string[];
  readonly contestants: readonly string[];
  readonly repeatCount: number;
  readonly write: boolean;
}

/** The result of reading a command line: options, a wish for help, or what is wrong with it. */
export type ParsedOptions =
  | { readonly kind: "options"; readonly options: Options }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly problem: string };

const MEASURE_NAMES: readonly string[] = [...listMeasures(false).map((measure) => measure.name), STARTUP];
const MAX_REPEAT_COUNT = 20;

/** The text of `--help`. */
export const HELP = `npm run bench -- [side-by-side] [options]

Measures Sluice beside other gateways, on this machine, in one interleaved run.

  --quick               one short repetition, under two minutes; too short to judge by
  --only a,b            measures: ${MEASURE_NAMES.join(", ")}; "paced" means both
  --contestants a,b     ${CONTESTANT_NAMES.join(", ")}
  --repeat N            repetitions, 1 to ${MAX_REPEAT_COUNT} (3; with --quick 1)
  --write               also write docs/benchmarks/latest.md
  --help                this text
`;

function readList(
  text: string | undefined,
  known: readonly string[],
  option: string,
): readonly string[] | { readonly problem: string } {
  if (text === undefined) return known;
  const names = text
    .split(",")
    .flatMap((name) => (name === "paced" ? ["paced500", "paced1000"] : [name.trim()]));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return known.filter((name) => names.includes(name));
  return { problem: `${option}: there is no "${unknown}". There are: ${known.join(", ")}.` };
}

/** Reads the words of a command line. Never throws. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  const parsed = readFlags(args);
  if (typeof parsed === "string") return { kind: "wrong", problem: parsed };
  if (parsed.help) return { kind: "help" };
  const measures = readList(parsed.only, MEASURE_NAMES, "--only");
  const contestants = readList(parsed.contestants, CONTESTANT_NAMES, "--contestants");
  if ("problem" in measures) return { kind: "wrong", problem: measures.problem };
  if ("problem" in contestants) return { kind: "wrong", problem: contestants.problem };
  const quick = parsed.quick ?? false;
  const repeatCount = parsed.repeat === undefined ? (quick ? 1 : 3) : Number(parsed.repeat);
  if (!Number.isInteger(repeatCount) || repeatCount < 1 || repeatCount > MAX_REPEAT_COUNT) {
    return { kind: "wrong", problem: `--repeat: must be a whole number from 1 to ${MAX_REPEAT_COUNT}.` };
  }
  return {
    kind: "options",
    options: { quick, measures, contestants, repeatCount, write: parsed.write ?? false },
  };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        only: { type: "string" },
        contestants: { type: "string" },
        repeat: { type: "string" },
        write: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    // parseArgs throws for unknown options; its message names the word.
    return error instanceof Error ? error.message : String(error);
  }
}
