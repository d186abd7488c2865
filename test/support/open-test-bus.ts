import { type NatsBus, type NatsBusPorts, openNatsBus } from "../../src/bus/nats-bus.ts";
import type { NatsSettings } from "../../src/bus/nats-link.ts";
import type { NatsServer } from "../../src/config/nats-config.ts";
import type { BusState, HealthBus } from "../../src/domain/health-bus.ts";
import type { LogFields, Logger } from "../../src/domain/ports.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";

/** One line that was logged. */
export interface LogLine extends LogFields {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

/** A logger that keeps its lines. */
export function keepLog(): { readonly logger: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (level: LogLine["level"]) => (message: string, fields?: LogFields) => {
    lines.push({ ...fields, level, message });
  };
  return {
    lines,
    logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
  };
}

/** A server on 127.0.0.1 without credentials or TLS. */
export function serverAt(port: number, settings: Partial<NatsServer> = {}): NatsServer {
  return { host: "127.0.0.1", port, isTls: false, credentials: undefined, ...settings };
}

/** A bus to the servers at these ports, and what it logs. */
export function openTestBus(
  ports: readonly number[],
  settings: Partial<NatsSettings> = {},
  machine: Partial<NatsBusPorts> = {},
): { readonly bus: NatsBus; readonly lines: LogLine[] } {
  const { logger, lines } = keepLog();
  const bus = openNatsBus(
    {
      servers: ports.map((port) => serverAt(port)),
      replicaId: "r1",
      subjectPrefix: "sluice",
      encoding: "protobuf",
      credentials: undefined,
      tls: undefined,
      ...settings,
    },
    { clock: systemClock, random: systemRandom, logger, ...machine },
  );
  return { bus, lines };
}

/** Resolves when the bus is in that state, at once when it already is. */
export function whenState(bus: HealthBus, state: BusState): Promise<void> {
  if (bus.state === state) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = bus.onStateChange((entered) => {
      if (entered !== state) return;
      stop();
      resolve();
    });
  });
}
