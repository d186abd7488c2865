/** GLM writes times without a zone; they are taken as Beijing's, eight hours ahead of UTC all year. */
const BEIJING_OFFSET = "+08:00";
const TIME = /(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})/;
/** A reset further away than this is taken to be this far. */
const MAX_RESET_MS = 7 * 24 * 3_600_000;

/** Reads when a used-up allowance comes back from GLM's message, as time from now, 0 ms to 7 days; undefined without one. */
export function readResetMs(message: string, wallNowMs: number): number | undefined {
  const [, day, time] = TIME.exec(message) ?? [];
  const resetMs = Date.parse(`${day}T${time}${BEIJING_OFFSET}`);
  return Number.isNaN(resetMs) ? undefined : Math.min(Math.max(resetMs - wallNowMs, 0), MAX_RESET_MS);
}
