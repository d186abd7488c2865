import * as z from "zod";

import { alertsSection } from "./alerts-section.ts";
import { aliasesSection, defaultsSection } from "./alias-section.ts";
import { authSection, corsSection, imagesSection } from "./auth-section.ts";
import { catalogSection } from "./catalog-section.ts";
import { chainsSection } from "./chain-section.ts";
import { section } from "./fields.ts";
import { groupsSection } from "./group-section.ts";
import { modelsSection } from "./model-section.ts";
import { natsSection } from "./nats-section.ts";
import { poolsSection } from "./pool-section.ts";
import { providersSection } from "./provider-section.ts";
import { routingSection } from "./routing-section.ts";
import { serverSection } from "./server-section.ts";

/** How much is logged. */
export const logLevel = z.enum(["debug", "info", "warn", "error", "silent"], {
  error: "debug, info, warn, error or silent",
});

const telemetrySection = section({
  log_level: logLevel.default("info").meta({
    title: "level",
    description: "The least important lines that are logged.",
  }),
});

/** The whole file, with the names and forms that people write. */
export const configSchema = section({
  server: serverSection.prefault({}).meta({ description: "Where and how callers connect." }),
  providers: providersSection.optional(),
  models: modelsSection.optional(),
  catalog: catalogSection.optional(),
  groups: groupsSection.optional(),
  pools: poolsSection.optional(),
  chains: chainsSection.optional(),
  aliases: aliasesSection.optional(),
  defaults: defaultsSection,
  routing: routingSection.prefault({}).meta({ description: "How attempts are made, retried and given up." }),
  telemetry: telemetrySection.prefault({}).meta({ description: "What Sluice says about itself." }),
  alerts: alertsSection.optional(),
  nats: natsSection.optional(),
  auth: authSection.optional(),
  cors: corsSection.optional(),
  images: imagesSection.optional().meta({ description: "Which pictures requests may bring." }),
});

/** A valid file: durations in milliseconds, sizes in bytes, prices in nano-USD, defaults filled in. */
export type ConfigFile = z.output<typeof configSchema>;
/** One of `providers`. */
export type ProviderEntry = NonNullable<ConfigFile["providers"]>[string];
/** One of `models`. */
export type ModelEntry = NonNullable<ConfigFile["models"]>[number];
