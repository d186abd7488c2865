import { asList, asNumber, asObject, asText, readJsonObject } from "./read-json.ts";

/** One endpoint as it is declared to routers; the truth may differ by the scenario. */
export interface EndpointSpec {
  /** `<provider>/<model>`. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  /** 0 to 1; the share of answers that are good. */
  readonly quality: number;
  /** Medians. */
  readonly firstTokenMs: number;
  readonly perTokenMs: number;
  /** US dollars per million tokens. */
  readonly inputUsd: number;
  readonly outputUsd: number;
  /** At full quota. */
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  /** Calls in flight above which the first token gets slower. */
  readonly softConcurrencyCount: number;
}

/** Reads the endpoints of a world. Throws `DataError`. */
export function readEndpoints(file: string): readonly EndpointSpec[] {
  return asList(readJsonObject(file).endpoints, `${file}: endpoints`).map((entry, index) => {
    const path = `${file}: endpoints[${index}]`;
    const object = asObject(entry, path);
    const text = (name: string) => asText(object[name], `${path}.${name}`);
    const number = (name: string, max: number) => asNumber(object[name], `${path}.${name}`, 0, max);
    return {
      id: `${text("provider")}/${text("model")}`,
      provider: text("provider"),
      model: text("model"),
      quality: number("quality", 1),
      firstTokenMs: number("firstTokenMs", 60_000),
      perTokenMs: number("perTokenMs", 1_000),
      inputUsd: number("inputUsd", 1_000),
      outputUsd: number("outputUsd", 1_000),
      requestsPerMinute: number("requestsPerMinute", 1e6),
      tokensPerMinute: number("tokensPerMinute", 1e9),
      softConcurrencyCount: number("softConcurrencyCount", 1e6),
    };
  });
}
