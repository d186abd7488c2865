/** How many terminal columns a text takes. */

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Unicode East Asian Width W and F (UAX #11), by block; two columns each. */
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
const EMOJI = /^(?:\p{Emoji_Presentation}|.\ufe0f)/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;
const ASCII = /^[\x20-\x7e]*$/;

/** The width in columns. Control characters count nothing: pass text through `printable` first. */
export function measureWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += measureGrapheme(segment);
  return width;
}

/** Cuts the text to at most `maxWidth` columns; what was cut shows as `…` in the last one. */
export function truncateToWidth(text: string, maxWidth: number): string {
  if (measureWidth(text) <= maxWidth) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = width + measureGrapheme(segment);
    if (next > maxWidth - 1) break;
    kept += segment;
    width = next;
  }
  return maxWidth > 0 ? `${kept}…` : "";
}

/** Adds spaces up to `width` columns, behind the text or (`right`) before it. */
export function padToWidth(text: string, width: number, align: "left" | "right"): string {
  const gap = " ".repeat(Math.max(0, width - measureWidth(text)));
  return align === "left" ? text + gap : gap + text;
}

function measureGrapheme(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}
