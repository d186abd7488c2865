import type { EndpointSpec } from "./endpoint-spec.ts";
import {
  asFlag,
  asList,
  asNumber,
  asObject,
  asText,
  DataError,
  readJsonObject,
  refuseUnknown,
} from "./read-json.ts";

/** Something that is wrong with some endpoints for a while. What is not named is as usual. */
export interface Effect {
  /** `*`, a provider or an endpoint's id. */
  readonly where: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Above 0: on and off by turns of this length, beginning with on. */
  readonly alternateMs: number;
  /** Above 0: factors grow from 1 to their value over this time. */
  readonly rampMs: number;
  readonly errorRatio: number;
  readonly hangRatio: number;
  readonly cutRatio: number;
  readonly firstTokenFactor: number;
  readonly perTokenFactor: number;
  readonly quotaFactor: number;
  readonly priceFactor: number;
  /** The share of refusals without Retry-After; -1 leaves the usual one. */
  readonly silentRefusalRatio: number;
  /** Every call is refused for lack of credit. */
  readonly unpaid: boolean;
  /** Only calls of this replica; -1 means all. */
  readonly replica: number;
}

/** How messages between replicas travel. */
export interface NetworkSpec {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly lossRatio: number;
  readonly duplicateRatio: number;
  /** The replicas' clocks differ by up to this much either way. */
  readonly skewMs: number;
  /** The two halves of the fleet hear nothing of each other in this time. */
  readonly partitionFromMs: number;
  readonly partitionUntilMs: number;
  /** From then on nothing is lost, doubled or late; 0 means never. */
  readonly healsMs: number;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly durationMs: number;
  /** What is measured as the fault. */
  readonly faultFromMs: number;
  readonly faultUntilMs: number;
  /** The endpoints whose calls are counted as calls to a bad one; empty for none. */
  readonly bad: string;
  readonly effects: readonly Effect[];
  readonly network: NetworkSpec;
  /** Arrivals are multiplied by `factor` for `lengthMs` every `everyMs`; 0 means never. */
  readonly burst: { readonly everyMs: number; readonly lengthMs: number; readonly factor: number };
  /** The hidden factors on speed lie between these: 1 and 1 mean that what is declared is true. */
  readonly misprofile: { readonly lowest: number; readonly highest: number };
  /** Replica `n` restarts at `fromMs` + `n` × `everyMs`; 0 means that none does. */
  readonly restarts: { readonly fromMs: number; readonly everyMs: number };
  /** Whether providers go down and up by generated or given incidents. */
  readonly incidents: boolean;
}

const S = 1_000;
const FOREVER_S = 1e7;
const RATIOS = ["errorRatio", "hangRatio", "cutRatio"] as const;
const FACTORS = ["firstTokenFactor", "perTokenFactor", "quotaFactor", "priceFactor"] as const;
const EFFECT_FIELDS = [
  ...["where", "fromS", "untilS", "alternateS", "rampS", "silentRefusalRatio", "unpaid", "replica"],
  ...RATIOS,
  ...FACTORS,
];

/** Reads a scenario. Times in the file are seconds. Throws `DataError`. */
export function readScenario(file: string): Scenario {
  const top = readJsonObject(file);
  const known = [
    "id",
    "title",
    "durationS",
    "fault",
    "bad",
    "effects",
    "network",
    "burst",
    "misprofile",
    "restarts",
    "incidents",
  ];
  refuseUnknown(top, known, file);
  const fault = part(top.fault, `${file}: fault`, ["fromS", "untilS"]);
  const burst = part(top.burst, `${file}: burst`, ["everyS", "lengthS", "factor"]);
  const restarts = part(top.restarts, `${file}: restarts`, ["fromS", "everyS"]);
  const misprofile = part(top.misprofile, `${file}: misprofile`, ["lowest", "highest"]);
  const scenario: Scenario = {
    id: asText(top.id, `${file}: id`),
    title: asText(top.title, `${file}: title`),
    durationMs: S * asNumber(top.durationS, `${file}: durationS`, 1, 1e6, 1_800),
    faultFromMs: S * fault("fromS", 0, FOREVER_S, 300),
    faultUntilMs: S * fault("untilS", 0, FOREVER_S, 900),
    bad: top.bad === undefined ? "" : asText(top.bad, `${file}: bad`),
    effects: asList(top.effects, `${file}: effects`).map((entry, index) =>
      readEffect(asObject(entry, `${file}: effects[${index}]`), `${file}: effects[${index}]`),
    ),
    network: readNetwork(top.network, `${file}: network`),
    burst: {
      everyMs: S * burst("everyS", 0, FOREVER_S, 0),
      lengthMs: S * burst("lengthS", 0, FOREVER_S, 0),
      factor: burst("factor", 0.01, 100, 1),
    },
    misprofile: { lowest: misprofile("lowest", 0.01, 100, 1), highest: misprofile("highest", 0.01, 100, 1) },
    restarts: {
      fromMs: S * restarts("fromS", 0, FOREVER_S, 0),
      everyMs: S * restarts("everyS", 0, FOREVER_S, 0),
    },
    incidents: asFlag(top.incidents, `${file}: incidents`),
  };
  refuseBackwards(`${file}: fault.untilS`, scenario.faultFromMs, scenario.faultUntilMs, "fromS");
  refuseBackwards(
    `${file}: misprofile.highest`,
    scenario.misprofile.lowest,
    scenario.misprofile.highest,
    "lowest",
  );
  return scenario;
}

/** Refuses a selector that means no endpoint: it would pass for a scenario in which nothing is wrong. */
export function refuseUnknownPlaces(
  scenario: Scenario,
  endpoints: readonly EndpointSpec[],
  file: string,
): void {
  const known = [...new Set(endpoints.flatMap(({ id, provider }) => [provider, id]))];
  const places = [
    ...(scenario.bad === "" ? [] : [["bad", scenario.bad] as const]),
    ...scenario.effects.map(({ where }, index) => [`effects[${index}].where`, where] as const),
  ];
  for (const [path, place] of places) {
    if (place !== "*" && !known.includes(place))
      throw new DataError(`${file}: ${path}: ${place} is unknown; * or one of ${known.join(", ")}`);
  }
}

/** Refuses an upper end below its lower one. */
function refuseBackwards(path: string, low: number, high: number, lowName: string): void {
  if (high < low) throw new DataError(`${path}: must not be less than ${lowName}`);
}

type Read = (name: string, min: number, max: number, fallback: number) => number;

function part(value: unknown, path: string, known: readonly string[]): Read {
  const object = value === undefined ? {} : asObject(value, path);
  refuseUnknown(object, known, path);
  return (name, min, max, fallback) => asNumber(object[name], `${path}.${name}`, min, max, fallback);
}

function readEffect(object: Readonly<Record<string, unknown>>, path: string): Effect {
  const read = part(object, path, EFFECT_FIELDS);
  const replica = read("replica", 0, 1_000, -1);
  if (!Number.isInteger(replica)) throw new DataError(`${path}.replica: must be a whole number`);
  const effect = makeEffect(asText(object.where, `${path}.where`), {
    fromMs: S * read("fromS", 0, FOREVER_S, 300),
    untilMs: S * read("untilS", 0, FOREVER_S, 900),
    alternateMs: S * read("alternateS", 0, FOREVER_S, 0),
    rampMs: S * read("rampS", 0, FOREVER_S, 0),
    ...Object.fromEntries(RATIOS.map((name) => [name, read(name, 0, 1, 0)])),
    ...Object.fromEntries(FACTORS.map((name) => [name, read(name, 0, 1_000, 1)])),
    silentRefusalRatio: read("silentRefusalRatio", 0, 1, -1),
    unpaid: asFlag(object.unpaid, `${path}.unpaid`),
    replica,
  });
  refuseBackwards(`${path}.untilS`, effect.fromMs, effect.untilMs, "fromS");
  if (effect.priceFactor !== 1 && (effect.rampMs > 0 || effect.alternateMs > 0 || replica >= 0)) {
    throw new DataError(
      `${path}.priceFactor: goes with neither rampS, alternateS nor replica: prices change for all at once`,
    );
  }
  return effect;
}

/** An effect that does nothing but what `changes` say. */
export function makeEffect(where: string, changes: Partial<Effect>): Effect {
  return {
    where,
    fromMs: 0,
    untilMs: FOREVER_S * S,
    alternateMs: 0,
    rampMs: 0,
    errorRatio: 0,
    hangRatio: 0,
    cutRatio: 0,
    firstTokenFactor: 1,
    perTokenFactor: 1,
    quotaFactor: 1,
    priceFactor: 1,
    silentRefusalRatio: -1,
    unpaid: false,
    replica: -1,
    ...changes,
  };
}

const NETWORK_FIELDS = [
  ...["minDelayMs", "maxDelayMs", "lossRatio", "duplicateRatio", "skewMs"],
  ...["partitionFromS", "partitionUntilS", "healsS"],
];
const MAX_SKEW_MS = 50_000;

function readNetwork(value: unknown, path: string): NetworkSpec {
  const read = part(value, path, NETWORK_FIELDS);
  const network: NetworkSpec = {
    minDelayMs: read("minDelayMs", 0, 1e6, 50),
    maxDelayMs: read("maxDelayMs", 0, 1e6, 400),
    lossRatio: read("lossRatio", 0, 1, 0),
    duplicateRatio: read("duplicateRatio", 0, 1, 0),
    skewMs: read("skewMs", 0, MAX_SKEW_MS, 0),
    partitionFromMs: S * read("partitionFromS", 0, FOREVER_S, 0),
    partitionUntilMs: S * read("partitionUntilS", 0, FOREVER_S, 0),
    healsMs: S * read("healsS", 0, FOREVER_S, 0),
  };
  refuseBackwards(`${path}.maxDelayMs`, network.minDelayMs, network.maxDelayMs, "minDelayMs");
  refuseBackwards(
    `${path}.partitionUntilS`,
    network.partitionFromMs,
    network.partitionUntilMs,
    "partitionFromS",
  );
  return network;
}
