import { AsyncLocalStorage } from "node:async_hooks";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";

/** Node's default of 11 takes a hundred times as long for a tenth less. */
const BROTLI_QUALITY = 4;

type Convert = (bytes: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;
type Inflate = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number },
) => Promise<Uint8Array<ArrayBuffer>>;

/** What inflating is subject to, for one call. */
export interface InflationTerms {
  /** The error for a message that is larger than the limit once inflated. */
  makeTooLargeError(): Error;
  /** Counts inflated bytes; throws the error to end the call with where there is no room for them. */
  hold(bytes: number): void;
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
      return inTurn(async () => {
        const inflated = await inflate(bytes, { maxOutputLength: maxBytes }).catch((error: unknown) => {
          if (isBeyondLimit(error) && terms !== undefined) throw terms.makeTooLargeError();
          throw new ConnectError(`the message is not valid ${name}`, Code.InvalidArgument);
        });
        terms?.hold(inflated.byteLength);
        return inflated;
      });
    },
  };
}

let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * One message is inflated at a time: what it grows to is counted only when it is there, and
 * many at once could grow far beyond the memory for all requests before any of them is.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}

function isBeyondLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}
