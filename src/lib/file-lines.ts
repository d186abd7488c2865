import type { FileHandle } from "node:fs/promises";

/** One line of a file, without its end. */
export interface FileLine {
  /** Without a byte order mark and a carriage return at its end; undefined for a line above the limit. */
  readonly text: string | undefined;
  readonly offsetBytes: number;
  /** With its newline, where it has one. */
  readonly lengthBytes: number;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Reads a file from its beginning, line by line. Only LF and CR LF end a line: Node's readline also
 * ends it at U+2028 and U+2029, which JSON may hold as they are (RFC 8259 7). Of a line above
 * `maxLineBytes` nothing is kept.
 */
export async function* readFileLines(
  file: FileHandle,
  maxLineBytes: number,
): AsyncGenerator<FileLine, undefined> {
  let pieces: Buffer[] = [];
  let offsetBytes = 0;
  let lengthBytes = 0;
  const take = (piece: Buffer) => {
    lengthBytes += piece.length;
    if (lengthBytes > maxLineBytes) pieces = [];
    else pieces.push(piece);
  };
  const finish = (): FileLine => {
    const isKept = lengthBytes <= maxLineBytes;
    const line = {
      text: isKept ? decode(Buffer.concat(pieces), offsetBytes === 0) : undefined,
      offsetBytes,
      lengthBytes,
    };
    offsetBytes += lengthBytes;
    lengthBytes = 0;
    pieces = [];
    return line;
  };
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) {
    const bytes: Buffer = chunk;
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      take(bytes.subarray(from, at + 1));
      from = at + 1;
      yield finish();
    }
    if (from < bytes.length) take(bytes.subarray(from));
  }
  if (lengthBytes > 0) yield finish();
  return undefined;
}

function decode(bytes: Buffer, isFirst: boolean): string {
  let end = bytes.length;
  if (bytes[end - 1] === NEWLINE) end -= 1;
  if (bytes[end - 1] === CARRIAGE_RETURN) end -= 1;
  const text = bytes.toString("utf8", 0, end);
  return isFirst && text.startsWith("\uFEFF") ? text.slice(1) : text;
}
