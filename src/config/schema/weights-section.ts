import { decimalNumber, relation, section } from "./fields.ts";

/** Of a good model: how much it counts for each priority of a request. */
const PARTS = ["quality", "latency", "cost"] as const;

type Part = (typeof PARTS)[number];

const weight = (description: string, byDefault: number) =>
  decimalNumber({ min: 0, max: 1_000 }, { description }).default(byDefault);

function weightsOf(priority: string, byDefault: Readonly<Record<Part, number>>) {
  return section({
    quality: weight("How much it counts that the model does the task well.", byDefault.quality),
    latency: weight("How much it counts that the answer comes soon.", byDefault.latency),
    cost: weight("How much it counts that the answer is cheap.", byDefault.cost),
  })
    .check(
      relation(
        PARTS,
        (weights) => PARTS.some((part) => weights[part] !== 0),
        "is 0 like latency and cost",
        "at least one of the three above 0",
      ),
    )
    .prefault({})
    .meta({ description: `The weights for requests with priority \`${priority}\`.` });
}

/** `routing.weights` in the file. */
export const weightsSection = section({
  speed: weightsOf("speed", { quality: 0.2, latency: 0.7, cost: 0.1 }),
  quality: weightsOf("quality", { quality: 0.75, latency: 0.15, cost: 0.1 }),
  cost: weightsOf("cost", { quality: 0.2, latency: 0.1, cost: 0.7 }),
  balanced: weightsOf("balanced", { quality: 0.4, latency: 0.3, cost: 0.3 }),
})
  .prefault({})
  .meta({
    description: "What makes a model good, by the priority of the request. Only the proportions matter.",
  });
