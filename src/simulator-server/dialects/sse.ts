/** One event of a stream (WHATWG HTML, server-sent events): an optional name and JSON on one line. */
export function writeSseEvent(data: unknown, name?: string): string {
  const head = name === undefined ? "" : `event: ${name}\n`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}
