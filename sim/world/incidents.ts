import { drawUnit, toLogNormal } from "./draws.ts";
import { DataError, readRows } from "./read-json.ts";
import { type Effect, makeEffect } from "./scenario.ts";

const MEAN_UP_MS = 600_000;
/** Real incidents of about an hour, sixty times faster. */
const DOWN = { medianMs: 45_000, sigma: 0.9, maxMs: 400_000 };
const MAX_INCIDENT_COUNT = 200;

/** Makes up incidents of providers: exponential times up, log-normal times down, of three kinds. */
export function generateIncidents(
  seed: number,
  providers: readonly string[],
  untilMs: number,
): readonly Effect[] {
  return providers.flatMap((provider, place) => {
    const effects: Effect[] = [];
    let atMs = 0;
    for (let index = 0; index < MAX_INCIDENT_COUNT; index++) {
      const draw = (salt: number) => drawUnit(seed, index, place, 3, salt);
      atMs += -Math.log(1 - draw(70)) * MEAN_UP_MS;
      if (atMs >= untilMs) break;
      const downMs = Math.min(DOWN.medianMs * toLogNormal(draw(71), draw(72), DOWN.sigma), DOWN.maxMs);
      const kind = draw(73);
      const what =
        kind < 0.5
          ? { errorRatio: 0.3 + 0.7 * draw(74) }
          : kind < 0.75
            ? { hangRatio: 0.9 }
            : { firstTokenFactor: 5 };
      effects.push(makeEffect(provider, { fromMs: atMs, untilMs: atMs + downMs, ...what }));
      atMs += downMs;
    }
    return effects;
  });
}

/** Reads incidents: CSV with a header and the columns provider, start and end in seconds. Throws `DataError`. */
export function parseIncidents(text: string, file: string, providers: readonly string[]): readonly Effect[] {
  return readRows(text, file).map(({ cells: [provider = "", from = "", until = ""], place }) => {
    const fromMs = Number(from) * 1_000;
    const untilMs = Number(until) * 1_000;
    if (!providers.includes(provider)) {
      throw new DataError(`${place}: provider must be one of ${providers.join(", ")}, not ${provider}`);
    }
    if (from === "" || until === "" || !(fromMs >= 0 && untilMs > fromMs)) {
      throw new DataError(`${place}: must be provider,start,end in seconds, the end after the start`);
    }
    return makeEffect(provider, { fromMs, untilMs, errorRatio: 1 });
  });
}
