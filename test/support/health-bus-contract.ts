import { expect } from "chai";
import type { BusMessage, BusState, HealthBus } from "../../src/domain/health-bus.ts";

/** Where buses of one kind meet. */
export interface HealthBusRig {
  /** A new bus that reaches all others of this rig; resolves when it is connected. */
  connect(): Promise<HealthBus>;
  /** Lets time pass until the condition holds; rejects when it does not in a few seconds. */
  until(condition: () => boolean): Promise<void>;
  /** Lets messages that are under way arrive, and `ms` pass. */
  pass(ms: number): Promise<void>;
  /** Closes what is still open. */
  close(): Promise<void>;
}

const TEXT = new TextEncoder();

/** A message whose payload is a text. */
export function makeBusMessage(subject: string, text = "hello", traceparent?: string): BusMessage {
  const message = { subject, type: "sluice.v1.HealthMessage", payload: TEXT.encode(text) };
  return traceparent === undefined ? message : { ...message, traceparent };
}

function textOf({ payload }: BusMessage): string {
  return new TextDecoder().decode(payload);
}

/** What every `HealthBus` promises. `prepare` makes a rig for one test. */
export function describeHealthBus(name: string, prepare: () => Promise<HealthBusRig>): void {
  describe(`the health bus ${name}`, () => {
    let rig: HealthBusRig;

    beforeEach(async () => {
      rig = await prepare();
    });

    afterEach(async () => {
      await rig.close();
    });

    /** What a bus hears, as texts. */
    async function listen(bus: HealthBus, pattern: string): Promise<string[]> {
      const heard: string[] = [];
      bus.subscribe(pattern, (message) => heard.push(textOf(message)));
      await rig.pass(50);
      return heard;
    }

    it("carries a message with its subject, type, payload and trace context", async () => {
      const [sender, receiver] = [await rig.connect(), await rig.connect()];
      const heard: BusMessage[] = [];
      receiver.subscribe("sluice.v1.health.*", (message) => heard.push(message));
      await rig.pass(50);
      const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
      const payload = Uint8Array.from({ length: 256 }, (_, index) => index);
      const message = { subject: "sluice.v1.health.r-1", type: "sluice.v1.X", payload, traceparent };
      expect(sender.publish(message)).to.equal(true);
      await rig.until(() => heard.length > 0);
      expect(heard.map((one) => ({ ...one, payload: [...one.payload] }))).to.deep.equal([
        { ...message, payload: [...payload] },
      ]);
    });

    it("leaves the trace context out where there is none", async () => {
      const [sender, receiver] = [await rig.connect(), await rig.connect()];
      const heard: BusMessage[] = [];
      receiver.subscribe("a", (message) => heard.push(message));
      await rig.pass(50);
      sender.publish(makeBusMessage("a"));
      await rig.until(() => heard.length > 0);
      expect(heard[0]?.traceparent).to.equal(undefined);
    });

    it("reaches every other bus and not the sender", async () => {
      const buses = [await rig.connect(), await rig.connect(), await rig.connect()] as const;
      const heard = await Promise.all(buses.map((bus) => listen(bus, ">")));
      buses[0].publish(makeBusMessage("a.b", "from 0"));
      await rig.until(() => heard.slice(1).every((texts) => texts.length > 0));
      await rig.pass(50);
      expect(heard).to.deep.equal([[], ["from 0"], ["from 0"]]);
    });

    it("keeps the order of one sender on a quiet network", async () => {
      const [sender, receiver] = [await rig.connect(), await rig.connect()];
      const heard = await listen(receiver, "a");
      const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`);
      for (const text of texts) sender.publish(makeBusMessage("a", text));
      await rig.until(() => heard.length === texts.length);
      expect(heard).to.deep.equal(texts);
    });

    for (const [pattern, subject, matches] of [
      ["a.b", "a.b", true],
      ["a.b", "a.b.c", false],
      ["a.b", "a", false],
      ["a.*.c", "a.b.c", true],
      ["a.*.c", "a.b.d", false],
      ["a.*", "a.b.c", false],
      ["*.b", "a.b", true],
      ["a.>", "a.b", true],
      ["a.>", "a.b.c.d", true],
      ["a.>", "a", false],
      ["a.*.>", "a.b", false],
      ["a.*.>", "a.b.c", true],
      [">", "a.b.c", true],
    ] as const) {
      it(`${matches ? "hears" : "does not hear"} ${subject} on ${pattern}`, async () => {
        const [sender, receiver] = [await rig.connect(), await rig.connect()];
        const heard = await listen(receiver, pattern);
        const marks = await listen(receiver, "mark");
        sender.publish(makeBusMessage(subject));
        sender.publish(makeBusMessage("mark", "mark"));
        await rig.until(() => marks.length > 0);
        expect(heard.filter((text) => text !== "mark")).to.have.length(matches ? 1 : 0);
      });
    }

    it("hears nothing more after the cleanup of a subscription, which may be called twice", async () => {
      const [sender, receiver] = [await rig.connect(), await rig.connect()];
      const heard: string[] = [];
      const stop = receiver.subscribe("a", (message) => heard.push(textOf(message)));
      const marks = await listen(receiver, "mark");
      stop();
      stop();
      sender.publish(makeBusMessage("a"));
      sender.publish(makeBusMessage("mark"));
      await rig.until(() => marks.length > 0);
      expect(heard).to.deep.equal([]);
    });

    it("gives each of two subscriptions of one bus its own message", async () => {
      const [sender, receiver] = [await rig.connect(), await rig.connect()];
      const [first, second] = [await listen(receiver, "a.*"), await listen(receiver, "a.>")];
      sender.publish(makeBusMessage("a.b"));
      await rig.until(() => first.length > 0 && second.length > 0);
      await rig.pass(50);
      expect([first, second]).to.deep.equal([["hello"], ["hello"]]);
    });

    it("never delivers within publish", async () => {
      const [sender, receiver] = [await rig.connect(), await rig.connect()];
      const heard = await listen(receiver, "a");
      sender.publish(makeBusMessage("a"));
      expect(heard).to.deep.equal([]);
      await rig.until(() => heard.length > 0);
    });

    it("brings the answers of everybody who answers, one by one, and not its own", async () => {
      const [asker, ...others] = [await rig.connect(), await rig.connect(), await rig.connect()] as const;
      asker.answer("sync", () => makeBusMessage("sync", "myself"));
      for (const [index, bus] of others.entries()) {
        bus.answer("sync", (question) => makeBusMessage("sync", `${textOf(question)} ${index}`));
      }
      await rig.pass(50);
      const heard: string[] = [];
      asker.ask(makeBusMessage("sync", "for"), { maxAnswers: 5, timeoutMs: 500 }, (answer) =>
        heard.push(textOf(answer)),
      );
      await rig.until(() => heard.length === 2);
      await rig.pass(600);
      expect(heard.toSorted()).to.deep.equal(["for 0", "for 1"]);
    });

    it("tells the answer's type and payload", async () => {
      const [asker, other] = [await rig.connect(), await rig.connect()];
      const answers: BusMessage[] = [];
      other.answer("sync", () => ({ ...makeBusMessage("sync", "known"), type: "sluice.v1.Snapshot" }));
      await rig.pass(50);
      asker.ask(makeBusMessage("sync"), { maxAnswers: 1, timeoutMs: 500 }, (one) => answers.push(one));
      await rig.until(() => answers.length === 1);
      expect(answers.map((one) => [one.type, textOf(one)])).to.deep.equal([["sluice.v1.Snapshot", "known"]]);
    });

    it("takes no more answers than it asked for", async () => {
      const [asker, ...others] = [await rig.connect(), await rig.connect(), await rig.connect()] as const;
      for (const bus of others) bus.answer("sync", () => makeBusMessage("sync"));
      await rig.pass(50);
      let count = 0;
      asker.ask(makeBusMessage("sync"), { maxAnswers: 1, timeoutMs: 500 }, () => {
        count += 1;
      });
      await rig.until(() => count > 0);
      await rig.pass(600);
      expect(count).to.equal(1);
    });

    it("leaves a question that somebody does not answer to the others", async () => {
      const [asker, silent, other] = [await rig.connect(), await rig.connect(), await rig.connect()];
      silent.answer("sync", () => undefined);
      other.answer("sync", () => makeBusMessage("sync", "known"));
      await rig.pass(50);
      const heard: string[] = [];
      asker.ask(makeBusMessage("sync"), { maxAnswers: 5, timeoutMs: 200 }, (one) => heard.push(textOf(one)));
      await rig.until(() => heard.length > 0);
      await rig.pass(300);
      expect(heard).to.deep.equal(["known"]);
    });

    it("hears no answer after the cleanup of the question", async () => {
      const [asker, other] = [await rig.connect(), await rig.connect()];
      other.answer("sync", () => makeBusMessage("sync"));
      await rig.pass(50);
      let count = 0;
      const stop = asker.ask(makeBusMessage("sync"), { maxAnswers: 5, timeoutMs: 500 }, () => {
        count += 1;
      });
      stop();
      stop();
      await rig.pass(100);
      expect(count).to.equal(0);
    });

    it("answers nothing after the cleanup of an answer", async () => {
      const [asker, other] = [await rig.connect(), await rig.connect()];
      other.answer("sync", () => makeBusMessage("sync"))();
      await rig.pass(50);
      let count = 0;
      asker.ask(makeBusMessage("sync"), { maxAnswers: 5, timeoutMs: 100 }, () => {
        count += 1;
      });
      await rig.pass(200);
      expect(count).to.equal(0);
    });

    it("asks nobody without an error when nobody is there", async () => {
      const asker = await rig.connect();
      let count = 0;
      asker.ask(makeBusMessage("sync"), { maxAnswers: 3, timeoutMs: 50 }, () => {
        count += 1;
      });
      await rig.pass(100);
      expect(count).to.equal(0);
    });

    it("hands over what was published before it closes", async () => {
      const [sender, receiver] = [await rig.connect(), await rig.connect()];
      const heard = await listen(receiver, "a");
      sender.publish(makeBusMessage("a", "farewell"));
      await sender.close();
      await rig.until(() => heard.length > 0);
      expect(heard).to.deep.equal(["farewell"]);
    });

    it("drops, hears and answers nothing once closed, and closes twice without harm", async () => {
      const [bus, other] = [await rig.connect(), await rig.connect()];
      const heard = await listen(bus, ">");
      const states: BusState[] = [];
      bus.onStateChange((state) => states.push(state));
      bus.answer("sync", () => makeBusMessage("sync"));
      await rig.pass(50);
      await bus.close();
      await bus.close();
      expect(bus.state).to.equal("closed");
      expect(states).to.deep.equal(["closed"]);
      expect(bus.publish(makeBusMessage("a"))).to.equal(false);
      other.publish(makeBusMessage("a"));
      let count = 0;
      other.ask(makeBusMessage("sync"), { maxAnswers: 1, timeoutMs: 100 }, () => {
        count += 1;
      });
      bus.ask(makeBusMessage("sync"), { maxAnswers: 1, timeoutMs: 100 }, () => {
        count += 1;
      });
      await rig.pass(200);
      expect([heard, count]).to.deep.equal([[], 0]);
    });

    it("tells no state change after the cleanup of the listener", async () => {
      const bus = await rig.connect();
      const states: BusState[] = [];
      bus.onStateChange((state) => states.push(state))();
      await bus.close();
      expect(states).to.deep.equal([]);
    });
  });
}
