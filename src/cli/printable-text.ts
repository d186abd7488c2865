/**
 * Text from elsewhere (models, servers, files) may hold control characters that
 * would steer the terminal. These functions make them visible instead.
 */

/** Unicode's "symbol for …" characters stand this far above the control characters. */
const CONTROL_PICTURES_OFFSET = 0x2400;

/** One line: every control character, line ends included, becomes visible. */
export function printable(text: string): string {
  return text.replace(CONTROLS, showControl);
}

/** Running text: as `printable`, but line ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(CONTROLS, (control) =>
    control === "\n" || control === "\t" ? control : showControl(control),
  );
}

/** C0, DEL, C1, and the marks that reorder what is shown (Unicode TR36 on bidirectional text). */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

function showControl(control: string): string {
  const point = control.codePointAt(0) ?? 0;
  if (point < 0x20) return String.fromCodePoint(point + CONTROL_PICTURES_OFFSET);
  return point === 0x7f ? "\u2421" : "\ufffd";
}
