import { AsyncLocalStorage } from "node:async_hooks";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { FairTurns } from "./fair-turns.ts";

/** Node's default of 11 takes a hundred times as long for a tenth less. */
const BROTLI_QUALITY = 4;

/** Messages that inflate to no more than this do not wait for larger ones. */
const SMALL_BYTES = 256 * 1024;

/** Larger messages are inflated in pieces of this; Node's default of 16 KiB takes twice as long. */
const CHUNK_BYTES = 64 * 1024;

type Convert = (bytes: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;
type Inflate = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number; readonly chunkSize?: number },
) => Promise<Uint8Array<ArrayBuffer>>;

/** What inflating is subject to, for one call. */
export interface InflationTerms {
  /** The connection that the message came on. */
  readonly peer: string;
  /** Throws the error to end the call with where it is over, or must stop: nobody waits for the message. */
  checkWanted(): void;
  /** The error for a message that is larger than the limit once inflated. */
  makeTooLargeError(): Error;
  /** Counts an inflated message; throws the error to end the call with where there is no room for it, or it has too many parts. */
  hold(message: Uint8Array): void;
}

/** Connect gives compressions nothing of the call they work for, so it comes along the side. */
const inflationTerms = new AsyncLocalStorage<InflationTerms>();

/** Runs `serve` so that what it inflates is subject to `terms`. */
export function inflateUnder<T>(terms: InflationTerms, serve: () => T): T {
  return inflationTerms.run(terms, serve);
}

const deflateBrotli = promisify(brotliCompress);

/** gzip and brotli. What they inflate stops at the limit. */
export const compressions: readonly Compression[] = [
  makeCompression("gzip", promisify<Uint8Array, NonSharedBuffer>(gzip), promisify(gunzip)),
  makeCompression(
    "br",
    (bytes) => deflateBrotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
    promisify(brotliDecompress),
  ),
];

function makeCompression(name: string, deflate: Convert, inflate: Inflate): Compression {
  return {
    name,
    compress: deflate,
    async decompress(bytes, maxBytes) {
      if (bytes.length === 0) return new Uint8Array();
      const terms = inflationTerms.getStore();
      /** Undefined when the message is larger than `limitBytes`. */
      const inflateUpTo = async (limitBytes: number, chunkBytes: number) => {
        terms?.checkWanted();
        const options = { maxOutputLength: limitBytes, chunkSize: chunkBytes };
        const inflated = await inflate(bytes, options).catch((error: unknown) => {
          if (isBeyondLimit(error)) return undefined;
          throw new ConnectError(`the message is not valid ${name}`, Code.InvalidArgument);
        });
        if (inflated !== undefined) terms?.hold(inflated);
        return inflated;
      };
      const who = terms?.peer ?? "";
      const smallBytes = Math.min(SMALL_BYTES, maxBytes);
      let inflated = await smallTurns.take(who, () => inflateUpTo(smallBytes, constants.Z_DEFAULT_CHUNK));
      if (inflated === undefined && smallBytes < maxBytes) {
        inflated = await largeTurns.take(who, () => inflateUpTo(maxBytes, CHUNK_BYTES));
      }
      if (inflated !== undefined) return inflated;
      throw (
        terms?.makeTooLargeError() ?? new ConnectError("the message is too large", Code.ResourceExhausted)
      );
    },
  };
}

/**
 * One message is inflated at a time: what it grows to is counted only when it is there, and
 * many at once could grow far beyond the memory for all requests before any of them is. How
 * large a message becomes nobody knows before, so each is tried as a small one first: a few
 * bytes that become megabytes make only their like wait. Connections take turns.
 */
const smallTurns = new FairTurns();
const largeTurns = new FairTurns();

function isBeyondLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}
