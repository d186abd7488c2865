/** What the demo shows: a picture that is drawn again on a terminal, lines elsewhere. */

import { BreakerState, BreakerStateSchema } from "../../../gen/sluice/v1/metrics_pb.ts";
import { nameEnumValue } from "../answer-summary.ts";
import type { Emphasis, Paint } from "../colour.ts";
import type { Output } from "../terminal.ts";
import type { DemoEvent, DemoRecord, DeploymentSight } from "./demo-record.ts";
import type { DemoTraffic } from "./demo-traffic.ts";

/** ECMA-48: cursor to the top left corner, then erase all below. */
const REDRAW = "\u001b[H\u001b[J";
const BAR_WIDTH = 30;
const SHOWN_EVENT_COUNT = 8;
/** How often lines without news are printed where nothing can be drawn again. */
const LINE_INTERVAL_MS = 1_000;

const EMPHASES: Readonly<Record<number, Emphasis>> = {
  [BreakerState.CLOSED]: "good",
  [BreakerState.HALF_OPEN]: "doubtful",
  [BreakerState.OPEN]: "bad",
};

/** Shows a record as it grows. */
export class DemoScreen {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #headline: string;
  #shownEventCount = 0;
  #lineMs = Number.NEGATIVE_INFINITY;

  constructor(output: Output, paint: Paint, headline: string) {
    this.#output = output;
    this.#paint = paint;
    this.#headline = headline;
  }

  /** Shows what is known now. */
  async show(record: DemoRecord, traffic: DemoTraffic, atMs: number): Promise<void> {
    if (this.#output.isTty) await this.#draw(record, traffic, atMs);
    else await this.#append(record, traffic, atMs);
  }

  async #draw(record: DemoRecord, traffic: DemoTraffic, atMs: number): Promise<void> {
    const most = Math.max(...record.deployments.map(({ recentCallCount }) => recentCallCount), 1);
    const lines = [
      this.#paint("heading", `${this.#headline}  ${formatMoment(atMs)}`),
      "",
      ...record.deployments.map((sight) => this.#drawBar(sight, most)),
      "",
      describeTraffic(traffic),
      "",
      ...record.events.slice(-SHOWN_EVENT_COUNT).map(describeEvent),
    ];
    await this.#output.write(`${REDRAW}${lines.join("\n")}\n`);
  }

  #drawBar({ provider, recentCallCount, breakerState, healthScore }: DeploymentSight, most: number): string {
    const length = Math.round((recentCallCount / most) * BAR_WIDTH);
    const bar = "█".repeat(length) + "░".repeat(BAR_WIDTH - length);
    const state = this.#paint(EMPHASES[breakerState] ?? "plain", nameState(breakerState).padEnd(9));
    return `${provider.padEnd(8)}${bar} ${String(recentCallCount).padStart(3)}/s  ${state}  health ${healthScore.toFixed(2)}`;
  }

  async #append(record: DemoRecord, traffic: DemoTraffic, atMs: number): Promise<void> {
    const news = record.events.slice(this.#shownEventCount);
    this.#shownEventCount = record.events.length;
    const lines = news.map(describeEvent);
    if (atMs - this.#lineMs >= LINE_INTERVAL_MS) {
      this.#lineMs = atMs;
      const sights = record.deployments.map(
        ({ provider, recentCallCount, breakerState }) =>
          `${provider} ${recentCallCount}/s ${nameState(breakerState)}`,
      );
      lines.push(`${formatMoment(atMs)}  ${[...sights, `failed ${traffic.failedCount}`].join(", ")}`);
    }
    if (lines.length > 0) await this.#output.write(`${lines.join("\n")}\n`);
  }
}

function describeTraffic({ sentCount, answeredCount, failedCount }: DemoTraffic): string {
  return `requests ${sentCount}, answered ${answeredCount}, failed ${failedCount}`;
}

function describeEvent({ atMs, text }: DemoEvent): string {
  return `${formatMoment(atMs)}  ${text}`;
}

function formatMoment(atMs: number): string {
  return `${(atMs / 1_000).toFixed(1)}s`.padStart(6);
}

function nameState(state: BreakerState): string {
  return nameEnumValue(BreakerStateSchema, state).replaceAll("_", "-");
}
