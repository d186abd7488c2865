/**
 * Runs the fault matrix: every fault of the catalogue, in every dialect, at every moment, by every way in, against
 * a real `sluice serve` and a model server in its own process.
 * `node scripts/fault-matrix.ts [--only TEXT] [--concurrency 32] [--light] [--markdown FILE] [--capture]`
 * `--capture`: over a real nats-server; whatever is published meanwhile holds no prompt, answer or key.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runMatrix } from "../test/faults/fault-matrix.ts";
import { listCells } from "../test/faults/fault-plan.ts";
import { reportMatrix } from "../test/faults/matrix-report.ts";
import { BusCapture } from "../test/support/bus-capture.ts";
import { startNatsServer } from "../test/support/nats-server.ts";
import { findNatsServer } from "./find-nats-server.ts";

/** sysexits.h EX_UNAVAILABLE. */
const EXIT_UNAVAILABLE = 69;
const BAR_CHARACTERS = 40;
const DEFAULT_CONCURRENCY = 32;

/** Starts a nats-server and a listener to everything on it; undefined, and said why, where there is none. */
async function startListening() {
  const found = await findNatsServer();
  if (found.kind === "missing") {
    console.error(`--capture: no nats-server: ${found.why}`);
    return undefined;
  }
  const nats = await startNatsServer(found.program);
  const capture = await BusCapture.open(nats.url);
  return {
    natsUrl: nats.url,
    /** Says what was published, and whether it was quiet; ends the listening. */
    async report(): Promise<boolean> {
      const loudSubjects = await capture.findLoudSubjects();
      const counts = [...capture.counts].filter(([type]) => type !== "");
      const heard = counts.map(([type, count]) => `${count} ${type}`).join(", ");
      console.log(
        `published: ${heard || "nothing"}; with a prompt, an answer or a key: ${loudSubjects.length}`,
      );
      for (const subject of new Set(loudSubjects)) console.log(`FAILED ${subject} holds a canary`);
      await capture.close();
      await nats.remove();
      return loudSubjects.length === 0 && counts.length > 0;
    },
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      concurrency: { type: "string", default: `${DEFAULT_CONCURRENCY}` },
      light: { type: "boolean", default: false },
      markdown: { type: "string" },
      capture: { type: "boolean", default: false },
    },
  });
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 200) {
    console.error(`--concurrency ${values.concurrency}: a whole number from 1 to 200 is right`);
    return 2;
  }
  const wants: Parameters<typeof listCells>[1] = ({ id, fault }) =>
    id.includes(values.only) && !(values.light && fault.isHeavy === true);
  const cellCount = listCells(undefined, wants).length;
  if (cellCount === 0) {
    console.error(`--only ${values.only}: no cell has that in its name, <dialect>.<fault>.<moment>.<way in>`);
    return 2;
  }
  const listening = values.capture ? await startListening() : undefined;
  if (values.capture && listening === undefined) return EXIT_UNAVAILABLE;
  console.log(`${cellCount} cells, ${concurrency} at a time`);
  let doneCount = 0;
  let shownPercent = -1;
  const startedMs = performance.now();
  const matrix = await runMatrix({
    wants,
    concurrency,
    natsUrl: listening?.natsUrl,
    onResult({ cell, problems }) {
      doneCount += 1;
      for (const problem of problems)
        console.log(`${process.stdout.isTTY ? "\r\x1b[K" : ""}FAILED ${cell.id}: ${problem}`);
      const percent = Math.floor((100 * doneCount) / cellCount);
      if (percent === shownPercent || (!process.stdout.isTTY && percent % 10 !== 0)) return;
      shownPercent = percent;
      const done = Math.round((percent / 100) * BAR_CHARACTERS);
      const line = `[${"#".repeat(done)}${".".repeat(BAR_CHARACTERS - done)}] ${doneCount} of ${cellCount}`;
      process.stdout.write(process.stdout.isTTY ? `\r${line} ` : `${line}\n`);
    },
  });
  const report = reportMatrix(matrix, performance.now() - startedMs);
  console.log(`\n${report.text}`);
  if (values.markdown !== undefined) writeFileSync(values.markdown, `${report.text}\n`);
  const isQuiet = listening === undefined || (await listening.report());
  return report.isGood && isQuiet ? 0 : 1;
}

process.exitCode = await main();
