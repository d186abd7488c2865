import { connect, type Msg, type NatsConnection } from "nats";
import { CANARIES, findCanaries } from "./canaries.ts";
import { eventually } from "./eventually.ts";

const PLANTED_SUBJECT = "elsewhere";

/** Everything that somebody who listens can read of a message. */
function readText({ subject, reply, headers, data }: Msg): string {
  const fields = headers === undefined ? [] : [...headers].flatMap(([name, values]) => [name, ...values]);
  return [subject, reply, ...fields, Buffer.from(data).toString("latin1")].join("\n");
}

/** Hears everything that is published on a nats-server, and looks for canaries in it. */
export class BusCapture {
  readonly #connection: NatsConnection;
  readonly #counts = new Map<string, number>();
  readonly #loudSubjects: string[] = [];

  /** `onMessage` hears each message too, with its type. */
  static async open(url: string, onMessage: (type: string, message: Msg) => void = () => {}) {
    const connection = await connect({ servers: url, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
    const capture = new BusCapture(connection);
    connection.subscribe(">", {
      callback: (_, message) => {
        const type = capture.#take(message);
        onMessage(type, message);
      },
    });
    await connection.flush();
    return capture;
  }

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Messages heard, by type without its package; what is none of ours has the empty one. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /**
   * The subjects of messages that hold a canary. First one is planted and must be found, so that
   * nothing found means that every subject was heard and every message read.
   */
  async findLoudSubjects(): Promise<readonly string[]> {
    this.#connection.publish(PLANTED_SUBJECT, Buffer.from(`{"text":"${CANARIES.prompt}"}`));
    await eventually(() => {
      if (!this.#loudSubjects.includes(PLANTED_SUBJECT)) throw new Error("the planted canary is not found");
    });
    return this.#loudSubjects.filter((subject) => subject !== PLANTED_SUBJECT);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #take(message: Msg): string {
    const type = message.headers?.get("Sluice-Message").replace("sluice.v1.", "") ?? "";
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
    if (findCanaries(readText(message)).length > 0) this.#loudSubjects.push(message.subject);
    return type;
  }
}
