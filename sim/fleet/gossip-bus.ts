import { matchesSubject } from "../../src/bus/match-subject.ts";
import type { AskLimits, BusMessage, BusState, HealthBus } from "../../src/domain/health-bus.ts";
import type { Cleanup, Clock } from "../../src/domain/ports.ts";
import { drawUnit } from "../world/draws.ts";
import type { NetworkSpec } from "../world/scenario.ts";

type Listener = (message: BusMessage) => void;
type Respond = (question: BusMessage) => BusMessage | undefined;

/** Carries messages between replicas, late, out of order, twice or not at all, as the network is. */
export class GossipBus {
  readonly #clock: Clock;
  #network: NetworkSpec;
  readonly #seed: number;
  readonly #replicaCount: number;
  readonly #members = new Set<Member>();
  #sentCount = 0;
  #sentBytes = 0;

  constructor(clock: Clock, network: NetworkSpec, seed: number, replicaCount: number) {
    this.#clock = clock;
    this.#network = network;
    this.#seed = seed;
    this.#replicaCount = replicaCount;
  }

  /** Messages handed to the network so far, one per receiver. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** The bytes of what was published, each message once. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** The bus as the replica of this number has it. */
  join(replica: number): HealthBus {
    const member = new Member(replica, this, this.#clock);
    this.#members.add(member);
    return member;
  }

  /** From now on nothing is lost, doubled or cut, and everything takes the least time. */
  heal(): void {
    const { minDelayMs } = this.#network;
    const healed = {
      lossRatio: 0,
      duplicateRatio: 0,
      maxDelayMs: minDelayMs,
      partitionUntilMs: 0,
      healsMs: 0,
    };
    this.#network = { ...this.#network, ...healed };
  }

  leave(member: Member): void {
    this.#members.delete(member);
  }

  /** Sends to everybody else. */
  publish(from: Member, message: BusMessage): void {
    this.#sentBytes += message.payload.length;
    for (const to of this.#members) {
      if (to !== from) this.carry(from.replica, to.replica, () => to.hear(message));
    }
  }

  /** Asks everybody else; each answer comes back by itself. */
  ask(from: Member, question: BusMessage, onAnswer: Listener): void {
    for (const to of this.#members) {
      if (to === from) continue;
      this.carry(from.replica, to.replica, () => {
        for (const answer of to.respond(question)) {
          this.carry(to.replica, from.replica, () => onAnswer(answer));
        }
      });
    }
  }

  /** Takes something from one replica to another, as the network will have it. */
  carry(from: number, to: number, arrive: () => void): void {
    const { healsMs } = this.#network;
    if (healsMs > 0 && this.#clock.nowMs() >= healsMs) this.heal();
    if (this.#isCut(from, to)) return;
    const { lossRatio, duplicateRatio, minDelayMs, maxDelayMs } = this.#network;
    const draw = (salt: number) => drawUnit(this.#seed, this.#sentCount, from, to, salt);
    this.#sentCount += 1;
    if (draw(50) < lossRatio) return;
    const copyCount = draw(51) < duplicateRatio ? 2 : 1;
    for (let copy = 0; copy < copyCount; copy++) {
      this.#clock.timer(minDelayMs + (maxDelayMs - minDelayMs) * draw(52 + copy), arrive);
    }
  }

  #isCut(from: number, to: number): boolean {
    const nowMs = this.#clock.nowMs();
    const { partitionFromMs, partitionUntilMs } = this.#network;
    if (nowMs < partitionFromMs || nowMs >= partitionUntilMs) return false;
    const half = this.#replicaCount / 2;
    return from < half !== to < half;
  }
}

/** One replica's end of the network. */
class Member implements HealthBus {
  readonly replica: number;
  readonly #bus: GossipBus;
  readonly #clock: Clock;
  readonly #subscriptions = new Set<{ readonly pattern: string; readonly listener: Listener }>();
  /** By the subjects of messages: there are as many of these as replicas. */
  readonly #listeners = new Map<string, readonly Listener[]>();
  readonly #answerers = new Set<{ readonly subject: string; readonly respond: Respond }>();
  #state: BusState = "connected";

  constructor(replica: number, bus: GossipBus, clock: Clock) {
    this.replica = replica;
    this.#bus = bus;
    this.#clock = clock;
  }

  get state(): BusState {
    return this.#state;
  }

  publish(message: BusMessage): boolean {
    if (this.#state === "closed") return false;
    this.#bus.publish(this, message);
    return true;
  }

  subscribe(pattern: string, listener: Listener): Cleanup {
    const subscription = { pattern, listener };
    this.#subscriptions.add(subscription);
    this.#listeners.clear();
    return () => {
      this.#subscriptions.delete(subscription);
      this.#listeners.clear();
    };
  }

  ask(question: BusMessage, { maxAnswers, timeoutMs }: AskLimits, onAnswer: Listener): Cleanup {
    let isOpen = true;
    let answerCount = 0;
    const stopTimer = this.#clock.timer(timeoutMs, () => {
      isOpen = false;
    });
    this.#bus.ask(this, question, (answer) => {
      if (!isOpen || answerCount >= maxAnswers) return;
      answerCount += 1;
      onAnswer(answer);
    });
    return () => {
      isOpen = false;
      stopTimer();
    };
  }

  answer(subject: string, respond: Respond): Cleanup {
    const answerer = { subject, respond };
    this.#answerers.add(answerer);
    return () => this.#answerers.delete(answerer);
  }

  onStateChange(): Cleanup {
    return () => {};
  }

  async close(): Promise<void> {
    this.#state = "closed";
    this.#bus.leave(this);
  }

  hear(message: BusMessage): void {
    const { subject } = message;
    let listeners = this.#listeners.get(subject);
    if (listeners === undefined) {
      const heeding = [...this.#subscriptions].filter(({ pattern }) => matchesSubject(pattern, subject));
      listeners = heeding.map(({ listener }) => listener);
      this.#listeners.set(subject, listeners);
    }
    for (const listener of listeners) listener(message);
  }

  respond(question: BusMessage): readonly BusMessage[] {
    return [...this.#answerers]
      .filter(({ subject }) => subject === question.subject)
      .flatMap(({ respond }) => respond(question) ?? []);
  }
}
