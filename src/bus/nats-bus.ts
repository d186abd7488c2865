import { randomUUID } from "node:crypto";
import type { NatsServer } from "../config/nats-config.ts";
import type { AskLimits, BusMessage, BusState, HealthBus } from "../domain/health-bus.ts";
import type { Cleanup, Clock, Logger, Random } from "../domain/ports.ts";
import { InboundQueue } from "./inbound-queue.ts";
import type { NatsBusCounts } from "./nats-bus-counts.ts";
import {
  type Destination,
  type LinkFailure,
  NatsLink,
  type NatsSettings,
  openLink,
  type PingSettings,
  type RawMessage,
} from "./nats-link.ts";
import type { PayloadCodec } from "./payload-codec.ts";
import { probeServer } from "./probe-server.ts";
import { RareLog } from "./rare-log.ts";
import { chooseReconnectDelayMs } from "./reconnect-delay.ts";

/** Often, because who does not hear the others must keep to its share of the limits; a dead link is given up after 30 s. */
const PING: PingSettings = { intervalMs: 1_000, maxUnanswered: 29 };
const GREETING_TIMEOUT_MS = 3_000;
/** What waits has this long to reach the server when the bus is closed. */
const CLOSE_TIMEOUT_MS = 2_000;
/** A connection that ends sooner counts as one that failed, so that a server that throws us out is not stormed. */
const HELD_MS = 5_000;

/** What a message of evidence may take, its headers and the rest of the protocol with it; as JSON up to eight times that. */
const NEEDED_PAYLOAD_BYTES = 16 * 1024;
const NEEDED_JSON_PAYLOAD_BYTES = 8 * NEEDED_PAYLOAD_BYTES;

/** What every subject begins with inside of Sluice; the configuration may put something else there. */
const ROOT = "sluice.";

/** What the bus needs of the machine. */
export interface NatsBusPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** For messages that are, or shall be, JSON; they stay as they are when left out. */
  readonly codec?: PayloadCodec;
  /** Every second with 29 unanswered when left out. */
  readonly ping?: PingSettings;
}

interface Subscription {
  readonly pattern: string;
  readonly handle: (message: BusMessage, replyTo: string | undefined) => void;
  /** Of the present connection. */
  stop: Cleanup | undefined;
}

interface Question {
  readonly onAnswer: (answer: BusMessage) => void;
  leftCount: number;
  readonly stop: Cleanup;
}

interface Inbound {
  readonly subscription: Subscription;
  readonly message: BusMessage;
  readonly replyTo: string | undefined;
}

/**
 * Opens a bus over NATS core publish and subscribe. Connects in the background and never gives up;
 * until it is connected, and whenever it is not, what is published is dropped and counted.
 */
export function openNatsBus(settings: NatsSettings, ports: NatsBusPorts): NatsBus {
  return new NatsBus(settings, ports);
}

/** A `HealthBus` over NATS. */
export class NatsBus implements HealthBus {
  readonly #settings: NatsSettings;
  readonly #ports: NatsBusPorts;
  readonly #rareLog: RareLog;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #inbox: string;
  readonly #subscriptions = new Set<Subscription>();
  readonly #questions = new Map<string, Question>();
  readonly #stateListeners = new Set<(state: BusState) => void>();
  readonly #inbound = new InboundQueue<Inbound>((inbound) => this.#handle(inbound));
  readonly #counts = {
    sent: 0,
    droppedUnconnected: 0,
    droppedFull: 0,
    droppedUnsendable: 0,
    received: 0,
    unreadable: 0,
    forbidden: 0,
    connections: 0,
    failures: 0,
  };
  #questionCount = 0;
  #state: BusState = "connecting";
  #link: NatsLink | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: NatsSettings, ports: NatsBusPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#rareLog = new RareLog(ports.logger, ports.clock);
    // Two processes with one name must not take each other's answers.
    this.#inbox = `_INBOX.${settings.replicaId}.${randomUUID()}`;
    this.#listenTo(`${this.#inbox}.*`, (answer) => this.#takeAnswer(answer));
    this.#running = this.#run();
  }

  get state(): BusState {
    return this.#state;
  }

  readCounts(): NatsBusCounts {
    const { droppedCount: droppedInbound, waitingCount: waiting } = this.#inbound;
    const unansweredBytes = this.#link?.unansweredBytes ?? 0;
    return { ...this.#counts, droppedInbound, waiting, unansweredBytes };
  }

  publish(message: BusMessage): boolean {
    return this.#send(message);
  }

  subscribe(pattern: string, listener: (message: BusMessage) => void): Cleanup {
    return this.#listenTo(pattern, listener);
  }

  ask(question: BusMessage, limits: AskLimits, onAnswer: (answer: BusMessage) => void): Cleanup {
    const token = String(this.#questionCount++);
    const stopTimer = this.#ports.clock.timer(limits.timeoutMs, () => stop());
    const stop = () => {
      stopTimer();
      this.#questions.delete(token);
    };
    this.#questions.set(token, { onAnswer, leftCount: limits.maxAnswers, stop });
    this.#send(question, { wantedAt: `${this.#inbox}.${token}` });
    return stop;
  }

  answer(subject: string, respond: (question: BusMessage) => BusMessage | undefined): Cleanup {
    return this.#listenTo(subject, (question, replyTo) => {
      if (replyTo === undefined) return;
      const answer = respond(question);
      if (answer !== undefined) this.#send(answer, { to: replyTo });
    });
  }

  onStateChange(listener: (state: BusState) => void): Cleanup {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** Resolves when the server has all that was sent; at once without a connection, never while the server is frozen. */
  async flush(): Promise<void> {
    await this.#link?.flush();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const link = this.#link;
    const late = Promise.withResolvers<void>();
    const stopTimer = this.#ports.clock.timer(CLOSE_TIMEOUT_MS, late.resolve);
    await Promise.race([this.flush(), late.promise]);
    link?.close();
    await Promise.race([this.#running, late.promise]);
    stopTimer();
    for (const { stop } of [...this.#questions.values()]) stop();
    this.#inbound.clear();
    this.#subscriptions.clear();
    this.#enter("closed");
    this.#stateListeners.clear();
  }

  /** Connects, serves, and begins again, until the bus is closed. */
  async #run(): Promise<void> {
    const { servers } = this.#settings;
    const { clock, random } = this.#ports;
    const { signal } = this.#closing;
    let failedCount = 0;
    for (let turn = 0; !signal.aborted; turn++) {
      const server = servers[turn % servers.length];
      if (server === undefined) return;
      const link = await this.#connect(server);
      if (link instanceof NatsLink) {
        const sinceMs = clock.nowMs();
        this.#take(link, server);
        const failure = await link.ended;
        this.#drop(link);
        if (clock.nowMs() - sinceMs >= HELD_MS) failedCount = 0;
        else failedCount += 1;
        this.#tellFailure(failure, server);
      } else {
        failedCount += 1;
        this.#tellFailure(link, server);
      }
      const isRoundOver = failedCount % servers.length === 0;
      const delayMs = chooseReconnectDelayMs(Math.ceil(failedCount / servers.length), random);
      if (isRoundOver) await this.#pause(delayMs);
    }
  }

  async #connect(server: NatsServer): Promise<NatsLink | LinkFailure> {
    const { clock } = this.#ports;
    const { signal } = this.#closing;
    try {
      const probed = await probeServer(server, { clock, timeoutMs: GREETING_TIMEOUT_MS, signal });
      const { ping = PING, codec } = this.#ports;
      return await openLink({ server, probed, ping, codec }, this.#settings, {
        onForbidden: (operation, subject) => this.#noteForbidden(operation, subject),
        onLameDuck: () => this.#leaveLameDuck(),
        onPulse: (isSilent) => this.#noteSilence(isSilent, server),
      });
    } catch (error) {
      return { kind: "unreachable", why: (error as Error).message };
    }
  }

  #take(link: NatsLink, { host, port }: NatsServer): void {
    if (this.#closing.signal.aborted) {
      link.close();
      return;
    }
    this.#link = link;
    for (const subscription of this.#subscriptions) this.#attach(subscription, link);
    this.#counts.connections += 1;
    this.#ports.logger.info("connected to NATS", {
      address: `${host}:${port}`,
      reason: `server ${link.serverVersion}`,
    });
    const neededBytes = this.#settings.encoding === "json" ? NEEDED_JSON_PAYLOAD_BYTES : NEEDED_PAYLOAD_BYTES;
    if (link.maxPayloadBytes < neededBytes) {
      this.#rareLog.warn("the NATS server's max_payload is too small: evidence above it is not sent", {
        address: `${host}:${port}`,
        reason: `${link.maxPayloadBytes} bytes; at least ${neededBytes} are needed`,
      });
    }
    this.#enter("connected");
  }

  #drop(link: NatsLink): void {
    link.close();
    this.#link = undefined;
    for (const subscription of this.#subscriptions) subscription.stop = undefined;
  }

  #tellFailure({ kind, why }: LinkFailure, { host, port }: NatsServer): void {
    if (this.#closing.signal.aborted) return;
    this.#counts.failures += 1;
    this.#enter(kind === "refused" ? "refused" : "connecting");
    const message =
      kind === "refused"
        ? "NATS refuses this replica, which works on what it sees itself and tries again"
        : "NATS is not connected: this replica works on what it sees itself and tries again";
    this.#rareLog.warn(message, { address: `${host}:${port}`, reason: why });
  }

  #noteForbidden(operation: string, subject: string): void {
    this.#counts.forbidden += 1;
    this.#rareLog.warn("the NATS server forbids a subject: see the permissions in docs/nats.md", {
      reason: `${operation} ${subject}`,
    });
  }

  /** A frozen server keeps its connections, but nobody hears anybody until it goes on. */
  #noteSilence(isSilent: boolean, { host, port }: NatsServer): void {
    if (this.#link === undefined || this.#closing.signal.aborted) return;
    this.#enter(isSilent ? "connecting" : "connected");
    if (isSilent) {
      this.#rareLog.warn(
        "the NATS server does not answer: this replica works on what it sees itself until it does",
        { address: `${host}:${port}` },
      );
    }
  }

  /** With other servers in the list, a server that is about to stop is left before it does. */
  #leaveLameDuck(): void {
    this.#rareLog.warn("the NATS server is about to stop");
    if (this.#settings.servers.length > 1) this.#link?.close();
  }

  #listenTo(pattern: string, handle: Subscription["handle"]): Cleanup {
    const subscription: Subscription = { pattern, handle, stop: undefined };
    if (this.#closing.signal.aborted) return () => {};
    this.#subscriptions.add(subscription);
    if (this.#link !== undefined) this.#attach(subscription, this.#link);
    return () => {
      if (!this.#subscriptions.delete(subscription)) return;
      subscription.stop?.();
    };
  }

  #attach(subscription: Subscription, link: NatsLink): void {
    subscription.stop = link.listen(this.#toWire(subscription.pattern), (raw) =>
      this.#receive(raw, subscription),
    );
  }

  #receive(raw: RawMessage, subscription: Subscription): void {
    this.#counts.received += 1;
    if (!this.#inbound.admits(raw.bytes)) {
      this.#rareLog.warn("more messages arrive from NATS than can be handled: some are dropped");
      return;
    }
    const message = raw.read(this.#fromWire(raw.subject));
    if (message === undefined) this.#counts.unreadable += 1;
    else this.#inbound.push({ subscription, message, replyTo: raw.replyTo }, raw.bytes);
  }

  #toWire(subject: string): string {
    return subject.startsWith(ROOT)
      ? `${this.#settings.subjectPrefix}.${subject.slice(ROOT.length)}`
      : subject;
  }

  #fromWire(subject: string): string {
    const prefix = `${this.#settings.subjectPrefix}.`;
    return subject.startsWith(prefix) ? ROOT + subject.slice(prefix.length) : subject;
  }

  #handle({ subscription, message, replyTo }: Inbound): void {
    if (!this.#subscriptions.has(subscription)) return;
    try {
      subscription.handle(message, replyTo);
    } catch (error) {
      // Whatever a peer sends, a request never pays for it.
      this.#rareLog.warn("a message from NATS could not be handled", {
        reason: message.type,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }

  #takeAnswer(answer: BusMessage): void {
    const token = answer.subject.slice(this.#inbox.length + 1);
    const question = this.#questions.get(token);
    if (question === undefined) return;
    question.leftCount -= 1;
    if (question.leftCount <= 0) question.stop();
    question.onAnswer(answer);
  }

  #send(message: BusMessage, reply?: Partial<Destination>): boolean {
    if (this.#state !== "connected" || this.#closing.signal.aborted) {
      this.#counts.droppedUnconnected += 1;
      return false;
    }
    const sending = this.#link?.send(message, { to: this.#toWire(message.subject), ...reply });
    if (sending === "sent") this.#counts.sent += 1;
    else if (sending === "full") this.#counts.droppedFull += 1;
    else if (sending === "unsendable") this.#counts.droppedUnsendable += 1;
    else this.#counts.droppedUnconnected += 1;
    return sending === "sent";
  }

  #enter(state: BusState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state);
  }

  #pause(delayMs: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        stopTimer();
        signal.removeEventListener("abort", finish);
        resolve();
      };
      const stopTimer = this.#ports.clock.timer(delayMs, finish);
      signal.addEventListener("abort", finish);
    });
  }
}
