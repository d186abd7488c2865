/** Prints a stream of events as they come and knows whether the answer is whole. */

import { toJsonString } from "@bufbuild/protobuf";
import { OutcomeSchema } from "../../gen/sluice/v1/generation_pb.ts";
import {
  type Finished,
  type StreamGenerateResponse,
  StreamGenerateResponseSchema,
} from "../../gen/sluice/v1/router_service_pb.ts";
import { nameEnumValue } from "./answer-summary.ts";
import { printable, printableLines } from "./printable-text.ts";
import { SIMULATION_NOTICE } from "./simulation-notice.ts";
import type { Terminal } from "./terminal.ts";

export interface StreamPrinterOptions {
  /** One JSON object per line instead of text. */
  readonly isJson: boolean;
  /** Tells of changes of the attempt on standard error. */
  readonly isVerbose: boolean;
}

/** One answer's way to the terminal. */
export class StreamPrinter {
  readonly #terminal: Terminal;
  readonly #options: StreamPrinterOptions;
  #nextSequenceNumber = 0;
  #hasSaidSimulation = false;
  #isLineOpen = false;
  #hasText = false;
  #requestId = "";
  #finished: Finished | undefined;
  #isGapped = false;

  constructor(terminal: Terminal, options: StreamPrinterOptions) {
    this.#terminal = terminal;
    this.#options = options;
  }

  /** The closing event, once it has come. */
  get finished(): Finished | undefined {
    return this.#finished;
  }

  /** Empty until the server has told it. */
  get requestId(): string {
    return this.#requestId;
  }

  /** Whether a part of the answer is on standard output. */
  get hasText(): boolean {
    return this.#hasText;
  }

  /** Whether an event is missing in the middle, which the contract forbids. */
  get isGapped(): boolean {
    return this.#isGapped;
  }

  /** Prints one event; kinds it does not know are skipped, as the contract says. */
  async print(message: StreamGenerateResponse): Promise<void> {
    if (message.sequenceNumber !== this.#nextSequenceNumber) this.#isGapped = true;
    this.#nextSequenceNumber = message.sequenceNumber + 1;
    const { stdout, stderr } = this.#terminal;
    const { event } = message;
    if (event.case === "started") this.#requestId = event.value.requestId;
    if (event.case === "started" || event.case === "attemptSwitched") {
      await this.#noticeSimulation(event.value.simulated);
    }
    if (event.case === "attemptSwitched" && this.#options.isVerbose) {
      const outcome = nameEnumValue(OutcomeSchema, event.value.previousOutcome);
      await stderr.write(
        `attempt ${message.attemptNumber}: ${printable(event.value.deployment)} after ${outcome}\n`,
      );
    }
    if (event.case === "finished") this.#finished = event.value;
    if (event.case === "textDelta") this.#hasText = true;
    if (this.#options.isJson) {
      await stdout.write(`${toJsonString(StreamGenerateResponseSchema, message)}\n`);
    } else if (event.case === "textDelta") {
      const { text } = event.value;
      this.#isLineOpen = !text.endsWith("\n");
      await stdout.write(stdout.isTty ? printableLines(text) : text);
    }
  }

  /** Ends the last line of text, so that what follows on the terminal starts a new one. */
  async endLine(): Promise<void> {
    if (!this.#isLineOpen) return;
    this.#isLineOpen = false;
    await this.#terminal.stdout.write("\n");
  }

  async #noticeSimulation(isSimulated: boolean): Promise<void> {
    if (!isSimulated || this.#hasSaidSimulation) return;
    this.#hasSaidSimulation = true;
    await this.#terminal.stderr.write(SIMULATION_NOTICE);
  }
}
