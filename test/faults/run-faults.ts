/** Runs cells of the matrix against a real `sluice serve` and compares what came of each with the rules. */

import http from "node:http";
import { findCanaries } from "../support/canaries.ts";
import { type SluiceProcess, startSluiceProcess } from "../support/sluice-process.ts";
import { callGrpc, openSession } from "./call-grpc.ts";
import { callOpenAi } from "./call-openai.ts";
import type { CallReport } from "./call-report.ts";
import { ANSWER_TEXT } from "./canned-answer.ts";
import { type ExpectedOutcome, expectOutcomes } from "./expected-outcome.ts";
import { LIMITS } from "./fault-limits.ts";
import type { Cell } from "./fault-plan.ts";
import type { FaultProcess } from "./fault-process.ts";
import { nameCell, type OriginOf, writeFaultConfig } from "./fault-sluice.ts";

/** What came of one cell. */
export interface CellResult {
  readonly cell: Cell;
  /** In words; none when all is as it has to be. */
  readonly problems: readonly string[];
  /** From the caller's short deadline to the end that the caller was told; undefined in other cells. */
  readonly afterDeadlineMs: number | undefined;
  /** From the end to the close of the connection to the model server; undefined where none had to be closed. */
  readonly releaseMs: number | undefined;
}

/** What came of a run. */
export interface FaultRun {
  readonly results: readonly CellResult[];
  /** What is wrong with the process as a whole: leaks, canaries in its log, an end that is none. */
  readonly problems: readonly string[];
}

/** How cells are run. */
export interface FaultRunOptions {
  readonly server: FaultProcess;
  readonly originOf: OriginOf;
  readonly concurrency: number;
  /** The environment of the Sluice beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
  onResult?(result: CellResult): void;
}

/** Whoever answers or hangs up this long after the end holds something. */
const RELEASE_TIMEOUT_MS = 5_000;

/** What is measured runs when nothing else does, and what moves many bytes by itself. */
const PHASES = [
  ["plain", Number.POSITIVE_INFINITY],
  ["measured", 4],
  ["heavy", 2],
] as const;

function phaseOf({ fault, entry }: Cell): (typeof PHASES)[number][0] {
  if (fault.isHeavy === true) return "heavy";
  return entry.hasShortDeadline ? "measured" : "plain";
}

/** Runs the cells; a fault server serves one run at a time. */
export async function runFaults(cells: readonly Cell[], options: FaultRunOptions): Promise<FaultRun> {
  const { server } = options;
  server.forget();
  const sluice = await startSluiceProcess(
    writeFaultConfig(cells, server.port, options.originOf),
    options.env,
  );
  const results: CellResult[] = [];
  const problems: string[] = [];
  const session = openSession(sluice.port);
  const agent = new http.Agent({ keepAlive: true });
  const runOne = async (cell: Cell) => {
    const result = await runCell(cell, sluice, { server, session, agent });
    results.push(result);
    options.onResult?.(result);
  };
  try {
    for (const [phase, concurrency] of PHASES) {
      const mine = cells.filter((cell) => phaseOf(cell) === phase);
      await runAll(mine, Math.min(concurrency, options.concurrency), runOne);
    }
  } finally {
    session.close();
    agent.destroy();
    problems.push(...(await endSluice(sluice, server, cells)));
  }
  return { results, problems };
}

async function runAll(
  cells: readonly Cell[],
  concurrency: number,
  runOne: (cell: Cell) => Promise<void>,
): Promise<void> {
  const queue = [...cells];
  const work = async () => {
    for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) await runOne(cell);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

interface Ways {
  readonly server: FaultProcess;
  readonly session: ReturnType<typeof openSession>;
  readonly agent: http.Agent;
}

async function runCell(cell: Cell, sluice: SluiceProcess, ways: Ways): Promise<CellResult> {
  const { entry } = cell;
  const timeoutMs = entry.hasShortDeadline ? LIMITS.shortDeadlineMs : LIMITS.longDeadlineMs;
  const name = nameCell(cell);
  const report =
    entry.door === "openai"
      ? await callOpenAi(sluice.port, ways.agent, { streams: entry.streams, model: name })
      : await callGrpc(ways.session, {
          streams: entry.streams,
          target: entry.isBacked ? { case: "group", value: `group-${name}` } : { case: "model", value: name },
          timeoutMs,
        });
  const problems = [...report.problems, ...judge(cell, report)];
  const endedMs = performance.now();
  // A whole answer may leave its connection in the pool, or be given a moment for its last bytes.
  if (cell.moment !== "connecting") await ways.server.awaitAsked(cell.number, RELEASE_TIMEOUT_MS);
  const mustRelease = cell.verdict.kind === "failure";
  const isReleased = !mustRelease || (await ways.server.awaitRelease(cell.number, RELEASE_TIMEOUT_MS));
  if (!isReleased) problems.push("the connection to the model server stays open");
  const seen = ways.server.cell(cell.number);
  if (cell.moment !== "connecting" && seen.askedCount !== 1)
    problems.push(`the model server was asked ${seen.askedCount} times`);
  if (!seen.hasCanaries) problems.push("key or prompt did not reach the model server");
  return {
    cell,
    problems,
    afterDeadlineMs: entry.hasShortDeadline ? report.durationMs - timeoutMs : undefined,
    releaseMs: mustRelease ? performance.now() - endedMs : undefined,
  };
}

/** Compares what the caller got with what the rules say. */
function judge(cell: Cell, report: CallReport): readonly string[] {
  const problems: string[] = [];
  if (report.endCount !== 1) problems.push(`${report.endCount} ends instead of 1`);
  const expected = expectOutcomes(cell);
  const told = describeReport(cell, report);
  if (!expected.some((one) => describeExpected(cell, one) === told)) {
    problems.push(`expected ${expected.map((one) => describeExpected(cell, one)).join(" or ")}, got ${told}`);
  }
  const isSound = report.code === "OK" && (cell.verdict.kind === "failure" || cell.verdict.text === "whole");
  if (isSound && report.text !== ANSWER_TEXT)
    problems.push(`the text is not the one that was sent: ${preview(report.text)}`);
  if (!isSound && cell.verdict.kind === "failure") {
    // Deltas that were sent on are the beginning of the answer, nothing lost, doubled or moved.
    const isPrefix = cell.fault.isHeavy === true || ANSWER_TEXT.startsWith(report.text);
    if (!isPrefix) problems.push(`the text is no beginning of what was sent: ${preview(report.text)}`);
    if (expected.every(({ isCommitted }) => !isCommitted) && report.text !== "")
      problems.push("text before the commit");
  }
  const found = findCanaries(report.given);
  if (found.length > 0) problems.push(`the caller was given ${found.join(" and ")}`);
  return problems;
}

function describeReport({ entry }: Cell, report: CallReport): string {
  if (entry.door === "openai")
    return describeDoor(report.httpStatus ?? 0, report.code === "OK", report.reason);
  return [report.code, report.reason ?? "", ...(report.attempts ?? [])].join(" ");
}

function describeExpected({ entry }: Cell, expected: ExpectedOutcome): string {
  const isOk = expected.code === "OK";
  if (entry.door === "openai") {
    // After the commit of a stream the status has gone out: only the events tell.
    const isLate = entry.streams && expected.isCommitted;
    return describeDoor(isLate ? 200 : expected.httpStatus, isOk, isLate ? undefined : expected.reason);
  }
  return [expected.code, expected.reason ?? "", ...expected.attempts].join(" ");
}

function describeDoor(httpStatus: number, isOk: boolean, reason: string | undefined): string {
  return `${httpStatus} ${isOk ? "whole" : "failed"} ${reason ?? ""}`;
}

function preview(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

/** Stops the Sluice as an operator does, and looks at what it leaves behind. */
async function endSluice(
  sluice: SluiceProcess,
  server: FaultProcess,
  cells: readonly Cell[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  sluice.signal("SIGTERM");
  // Nothing but an empty event loop ends it: a timer or socket that is left keeps it alive.
  const timer = setTimeout(() => sluice.signal("SIGKILL"), 15_000);
  const { code, signal, out, err } = await sluice.ended;
  clearTimeout(timer);
  if (code !== 0) problems.push(`sluice ended with ${signal ?? code}: ${err.slice(-2_000)}`);
  const found = findCanaries(out + err);
  if (found.length > 0) problems.push(`the log holds ${found.join(" and ")}`);
  const lines = err.trimEnd().split("\n");
  const strange = lines.filter((line) => !line.startsWith("{"));
  if (strange.length > 0)
    problems.push(`lines of the log that are not its own: ${strange.slice(0, 3).join(" / ")}`);
  if (/"level":"?(error|50)/.test(err))
    problems.push(`errors in the log: ${lines.find((line) => /"level":"?(error|50)/.test(line))}`);
  // A log that says nothing holds no canary either.
  const hasFailures = cells.some(
    ({ verdict, entry }) => verdict.kind === "failure" && !entry.hasShortDeadline,
  );
  if (hasFailures && !err.includes("attempt failed")) problems.push("the log is silent");
  const openCount = await server.countSockets();
  if (openCount > 0) problems.push(`${openCount} connections to the model server are still open`);
  await sluice.remove();
  return problems;
}
