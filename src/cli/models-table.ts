/** The catalog as lines for the terminal. */

import type {
  Model,
  ModelCapabilities,
  ModelPrice,
  PriceList,
} from "../../gen/sluice/v1/model_service_pb.ts";
import type { Paint } from "./colour.ts";
import { formatCount, formatNanoOf, formatNanoUsd, UNKNOWN } from "./number-text.ts";
import { printable } from "./printable-text.ts";
import { type Column, renderTable } from "./text-table.ts";

const ABILITIES: readonly (readonly [keyof ModelCapabilities, string])[] = [
  ["vision", "vision"],
  ["tools", "tools"],
  ["jsonObject", "json"],
  ["jsonSchema", "schema"],
  ["longContext", "long"],
];

const COLUMNS: readonly Column<Model>[] = [
  { heading: "MODEL", text: ({ name }) => name },
  {
    heading: "CONTEXT",
    align: "right",
    text: (model) => formatCount(model.capabilities?.contextWindowTokenCount),
  },
  {
    heading: "OUTPUT",
    align: "right",
    text: (model) => formatCount(model.capabilities?.maxOutputTokenCount),
  },
  {
    heading: "SPEED/QUALITY/COST",
    text: ({ tiers }) => [tiers?.speed, tiers?.quality, tiers?.cost].map((tier) => tier ?? UNKNOWN).join("/"),
  },
  { heading: "USD/M IN/OUT", align: "right", text: ({ price }) => formatPrice(price) },
  { heading: "ABILITIES", text: formatAbilities },
  { heading: "DEPLOYMENTS", text: ({ deployments }) => deployments.map(({ id }) => id).join(", ") },
  { heading: "DESCRIPTION", text: ({ description }) => description },
];

/** One row per model; no line is wider than `width` columns. */
export function renderModels(models: readonly Model[], width: number, paint: Paint): string[] {
  return renderTable(COLUMNS, models, width, paint);
}

/** Everything about one model, one fact per line. */
export function renderModel(model: Model, paint: Paint): string[] {
  const { capabilities, tiers, price } = model;
  const facts: (readonly [string, string])[] = [
    ["name", model.name],
    ["description", model.description || UNKNOWN],
    ["context window", `${capabilities?.contextWindowTokenCount ?? UNKNOWN} tokens`],
    ["longest answer", `${capabilities?.maxOutputTokenCount ?? UNKNOWN} tokens`],
    ["abilities", formatAbilities(model)],
    ["speed", `${tiers?.speed ?? UNKNOWN} (1 is the fastest)`],
    ["quality", `${tiers?.quality ?? UNKNOWN} (5 is the best)`],
    ["cost", `${tiers?.cost ?? UNKNOWN} (1 is the cheapest)`],
    ["price", price === undefined ? "not known" : describePrice(price)],
    ...model.deployments.flatMap(({ id, provider, upstreamModel, simulated, price: ownPrice }) => [
      ["deployment", `${id}: ${upstreamModel} at ${provider}${simulated ? ", SIMULATION" : ""}`] as const,
      ...describePriceList(ownPrice).map((line) => ["  billed", line] as const),
    ]),
  ];
  const widest = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, text]) => `${paint("heading", name.padEnd(widest))}  ${printable(text)}`);
}

function formatAbilities({ capabilities }: Model): string {
  const able = ABILITIES.filter(([key]) => capabilities?.[key] === true).map(([, word]) => word);
  return able.join(" ") || UNKNOWN;
}

function formatPrice(price: ModelPrice | undefined): string {
  if (price === undefined) return UNKNOWN;
  return `${formatNanoUsd(price.inputNanoUsd)}/${formatNanoUsd(price.outputNanoUsd)}`;
}

function describePrice(price: ModelPrice): string {
  const cached =
    price.cachedInputNanoUsd === undefined ? "" : ` (${formatNanoUsd(price.cachedInputNanoUsd)} when cached)`;
  return `${formatNanoUsd(price.inputNanoUsd)} in${cached}, ${formatNanoUsd(price.outputNanoUsd)} out, per million tokens`;
}

/** The bands of a deployment's own list, one per line, in the order in which they are tried. */
function describePriceList(list: PriceList | undefined): readonly string[] {
  if (list === undefined) return [];
  const money = (nano: bigint) => formatNanoOf(list.currencyCode, nano);
  return list.bands.map((band) => {
    const { belowInputTokenCount: input, belowOutputTokenCount: output, cachedInputNano: cached } = band;
    const limits = [
      ...(input === undefined ? [] : [`prompt below ${formatCount(input)} tokens`]),
      ...(output === undefined ? [] : [`answer below ${formatCount(output)} tokens`]),
    ];
    const told = cached === undefined ? "" : ` (${money(cached)} when cached)`;
    const price = `${money(band.inputNano)} in${told}, ${money(band.outputNano)} out, per million tokens`;
    return limits.length === 0 ? price : `${price}: ${limits.join(", ")}`;
  });
}
