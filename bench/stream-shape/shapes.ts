import type { GenerationEvent } from "../../src/domain/event.ts";
import type { Batch, Pipe, Socket, StreamShape } from "./network.ts";

/** Nothing between network and socket: the cost that all shapes have in common. */
export const NOTHING: StreamShape = {
  name: "source and socket alone",
  open: (socket) => new DirectPipe(socket),
};

class DirectPipe implements Pipe {
  readonly #socket: Socket;
  readonly #resume = (): void => {
    this.paused = false;
  };
  paused = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  deliver(batch: Batch): void {
    if (this.#socket.write(batch)) return;
    this.paused = true;
    this.#socket.onDrain(this.#resume);
  }

  end(): void {}
}

/** A layer of the push shape: `false` travels back, `resume` travels from the network's side. */
interface PushSink {
  onEvents(batch: Batch): boolean;
}

class PushLayer implements PushSink {
  readonly #next: PushSink;
  batchCount = 0;

  constructor(next: PushSink) {
    this.#next = next;
  }

  onEvents(batch: Batch): boolean {
    this.batchCount++;
    return this.#next.onEvents(batch);
  }
}

class PushPipe implements Pipe {
  readonly #first: PushSink;
  readonly #socket: Socket;
  readonly #resume = (): void => {
    this.paused = false;
  };
  paused = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    const last: PushSink = { onEvents: (batch) => socket.write(batch) };
    this.#first = new PushLayer(new PushLayer(new PushLayer(last)));
  }

  deliver(batch: Batch): void {
    if (this.#first.onEvents(batch)) return;
    this.paused = true;
    this.#socket.onDrain(this.#resume);
  }

  end(): void {}
}

/** Calls with a batch, `false` for a full socket: what src/domain/ports.ts has. */
export const PUSH: StreamShape = { name: "push sink of batches", open: (socket) => new PushPipe(socket) };

/** Reads that wait to be pulled. Full at two, as a stream with a small high-water mark is. */
class ReadQueue implements Pipe, AsyncIterable<Batch>, AsyncIterator<Batch> {
  readonly #reads: Batch[] = [];
  #waiting: ((result: IteratorResult<Batch>) => void) | undefined;
  #ended = false;

  get paused(): boolean {
    return this.#reads.length >= 2;
  }

  deliver(batch: Batch): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#reads.push(batch);
      return;
    }
    this.#waiting = undefined;
    waiting({ done: false, value: batch });
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<Batch>> {
    const read = this.#reads.shift();
    if (read !== undefined) return Promise.resolve({ done: false, value: read });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<Batch> {
    return this;
  }
}

async function* relay<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of source) yield item;
}

async function* splitReads(source: AsyncIterable<Batch>): AsyncGenerator<GenerationEvent> {
  for await (const batch of source) yield* batch;
}

function waitForRoom(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.onDrain(resolve));
}

async function sendBatches(source: AsyncIterable<Batch>, socket: Socket): Promise<void> {
  for await (const batch of source) if (!socket.write(batch)) await waitForRoom(socket);
}

async function sendTokens(source: AsyncIterable<GenerationEvent>, socket: Socket): Promise<void> {
  for await (const event of source) if (!socket.writeOne(event)) await waitForRoom(socket);
}

/** Three async generators, each handing batches on. */
export const BATCH_GENERATORS: StreamShape = {
  name: "async generators of batches",
  open(socket) {
    const queue = new ReadQueue();
    void sendBatches(relay(relay(relay(queue))), socket);
    return queue;
  },
};

/** Three async generators, each handing single events on: what is written first. */
export const TOKEN_GENERATORS: StreamShape = {
  name: "async generators of tokens",
  open(socket) {
    const queue = new ReadQueue();
    void sendTokens(relay(relay(splitReads(queue))), socket);
    return queue;
  },
};
