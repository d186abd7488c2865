import { stat } from "node:fs/promises";
import type { Cleanup, Clock, Logger } from "../domain/ports.ts";
import type { KeyStore } from "./key-store.ts";
import { readKeyFile } from "./read-key-file.ts";

/** How often the file is looked at: how long a revoked key may still open something. */
export const KEY_FILE_POLL_MS = 2_000;

/** What a watch needs. `signature` is that of the file as the store holds it. */
export interface KeyFileWatchParts {
  readonly path: string;
  readonly store: KeyStore;
  readonly signature: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps a store in step with its file. Looks at the file's signature, not at events:
 * those get lost on network file systems and where a whole folder is swapped. A file
 * that is broken or gone changes nothing: the last good keys stay in force, nobody new
 * is let in, and the log says so each time the file changes.
 */
export class KeyFileWatch {
  readonly #parts: KeyFileWatchParts;
  #signature: string | undefined;
  #stopTimer: Cleanup = () => {};
  /** One look at the file after the other, so that an older one never wins over a newer. */
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: KeyFileWatchParts) {
    this.#parts = parts;
    this.#signature = parts.signature;
    this.#rest();
  }

  /** Reads the file now, whether it looks changed or not. Resolves when that is done; never rejects. */
  reload(): Promise<void> {
    return this.#queue(() => this.#read());
  }

  /** Stops looking. A read under way has no effect any more. */
  close(): void {
    this.#closed = true;
    this.#stopTimer();
  }

  #rest(): void {
    this.#stopTimer();
    if (this.#closed) return;
    this.#stopTimer = this.#parts.clock.timer(KEY_FILE_POLL_MS, () => void this.#queue(() => this.#look()));
  }

  #queue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#closed) return;
      await work();
      this.#rest();
    });
    return this.#work;
  }

  async #look(): Promise<void> {
    const signature = await readSignature(this.#parts.path);
    if (signature !== this.#signature) await this.#read();
  }

  async #read(): Promise<void> {
    const { path, store, logger } = this.#parts;
    const file = await readKeyFile(path);
    if (this.#closed) return;
    this.#signature = file.signature;
    if (file.ok) {
      store.replace(file.keys);
      logger.info("API keys reloaded", { file: path, count: file.keys.length });
    } else {
      logger.error("the keys file is broken: the keys read before stay in force", {
        file: path,
        count: store.keyCount,
        error: file.problem,
      });
    }
  }
}

/** As `readKeyFile` makes it; undefined when the file cannot be looked at. */
async function readSignature(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    return `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
  } catch {
    return undefined;
  }
}
