import type { Clock } from "../domain/ports.ts";
import { chooseWidth, type Terminal } from "./terminal.ts";
import { truncateToWidth } from "./text-width.ts";

/** Drawing more often costs more than anyone sees. */
const REDRAW_MS = 100;
const BAR_CELLS = 24;

/** Shows how far something is, on standard error; draws nothing where that is no terminal. */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #totalCount: number;
  readonly #startedMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal, totalCount: number) {
    this.#terminal = terminal;
    this.#clock = terminal.clock;
    this.#totalCount = totalCount;
    this.#startedMs = terminal.clock.nowMs();
  }

  /** Draws when it is time to, or when all is done. `note` follows the numbers. */
  async show(doneCount: number, note: string): Promise<void> {
    const { stderr, env } = this.#terminal;
    const nowMs = this.#clock.nowMs();
    const isDue = nowMs - this.#drawnMs >= REDRAW_MS || doneCount === this.#totalCount;
    if (!stderr.isTty || !isDue) return;
    this.#drawnMs = nowMs;
    const ratio = this.#totalCount === 0 ? 1 : doneCount / this.#totalCount;
    const full = Math.floor(ratio * BAR_CELLS);
    const bar = `${"#".repeat(full)}${".".repeat(BAR_CELLS - full)}`;
    const perSecond = (doneCount * 1_000) / Math.max(nowMs - this.#startedMs, 1);
    const text = `[${bar}] ${doneCount}/${this.#totalCount} ${perSecond.toFixed(1)}/s ${note}`;
    await stderr.write(`\r\x1b[K${truncateToWidth(text, chooseWidth(stderr, env) - 1)}`);
  }

  /** Removes the bar. */
  async clear(): Promise<void> {
    if (this.#terminal.stderr.isTty && Number.isFinite(this.#drawnMs)) {
      await this.#terminal.stderr.write("\r\x1b[K");
    }
  }
}
