import type { AskLimits, BusMessage, BusState, HealthBus } from "../domain/health-bus.ts";
import type { Cleanup, Clock } from "../domain/ports.ts";
import { matchesSubject } from "./match-subject.ts";

/** Messages that may wait for delivery; what comes on top is dropped. */
const MAX_WAITING_COUNT = 10_000;

type Listener = (message: BusMessage) => void;
type Respond = (question: BusMessage) => BusMessage | undefined;

/** Joins the buses of one process: what one publishes, the others hear. */
export class MemoryMesh {
  readonly #clock: Clock;
  readonly #buses = new Set<MemoryBus>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new bus, connected to all others of the mesh until it is closed. */
  connect(): HealthBus {
    const bus = new MemoryBus(this.#clock, this.#buses);
    this.#buses.add(bus);
    return bus;
  }
}

/**
 * Carries messages inside a process. A bus that is alone in its mesh is the bus of a
 * replica that shares with nobody. Messages arrive soon after `publish`, never within it.
 */
class MemoryBus implements HealthBus {
  readonly #clock: Clock;
  readonly #buses: Set<MemoryBus>;
  readonly #subscriptions = new Set<{ readonly pattern: string; readonly listener: Listener }>();
  readonly #answerers = new Set<{ readonly subject: string; readonly respond: Respond }>();
  readonly #stateListeners = new Set<(state: BusState) => void>();
  readonly #questions = new Set<Cleanup>();
  #state: BusState = "connected";
  #waitingCount = 0;

  constructor(clock: Clock, buses: Set<MemoryBus>) {
    this.#clock = clock;
    this.#buses = buses;
  }

  get state(): BusState {
    return this.#state;
  }

  publish(message: BusMessage): boolean {
    return this.#send(() => {
      for (const bus of this.#others()) bus.#hear(message);
    });
  }

  subscribe(pattern: string, listener: Listener): Cleanup {
    const subscription = { pattern, listener };
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  ask(question: BusMessage, limits: AskLimits, onAnswer: Listener): Cleanup {
    let answerCount = 0;
    const stop = () => {
      stopTimer();
      this.#questions.delete(stop);
    };
    const stopTimer = this.#clock.timer(limits.timeoutMs, stop);
    this.#questions.add(stop);
    this.#send(() => {
      for (const bus of this.#others()) {
        for (const answer of bus.#respond(question)) {
          if (!this.#questions.has(stop)) return;
          answerCount += 1;
          if (answerCount >= limits.maxAnswers) stop();
          onAnswer(answer);
        }
      }
    });
    return stop;
  }

  answer(subject: string, respond: Respond): Cleanup {
    const answerer = { subject, respond };
    this.#answerers.add(answerer);
    return () => this.#answerers.delete(answerer);
  }

  onStateChange(listener: (state: BusState) => void): Cleanup {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    // What was published before goes out: deliveries are microtasks, queued before this one.
    await Promise.resolve();
    this.#buses.delete(this);
    for (const stop of this.#questions) stop();
    this.#subscriptions.clear();
    this.#answerers.clear();
    for (const listener of this.#stateListeners) listener("closed");
    this.#stateListeners.clear();
  }

  #others(): readonly MemoryBus[] {
    return [...this.#buses].filter((bus) => bus !== this);
  }

  #send(deliver: () => void): boolean {
    if (this.#state === "closed" || this.#waitingCount >= MAX_WAITING_COUNT) return false;
    this.#waitingCount += 1;
    queueMicrotask(() => {
      this.#waitingCount -= 1;
      deliver();
    });
    return true;
  }

  #hear(message: BusMessage): void {
    for (const { pattern, listener } of [...this.#subscriptions]) {
      if (matchesSubject(pattern, message.subject)) listener(message);
    }
  }

  #respond(question: BusMessage): readonly BusMessage[] {
    return [...this.#answerers]
      .filter(({ subject }) => subject === question.subject)
      .map(({ respond }) => respond(question))
      .filter((answer) => answer !== undefined);
  }
}
