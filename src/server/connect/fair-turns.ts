/** Begins a piece of work; resolves when it is done, however it ended. */
type Piece = () => Promise<void>;

/**
 * One piece of work at a time. Those who wait take turns, each with one piece, so that
 * who brings many delays the others by one of them.
 */
export class FairTurns {
  /** By who brought it; who is first in the map is next. */
  readonly #queues = new Map<string, Piece[]>();
  #busy = false;

  /** Does `work` when it is the turn of `who`. Settles as `work` does. */
  take<T>(who: string, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const piece: Piece = () => work().then(resolve, reject);
      const queue = this.#queues.get(who);
      if (queue === undefined) this.#queues.set(who, [piece]);
      else queue.push(piece);
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (;;) {
      const [next] = this.#queues;
      if (next === undefined) break;
      const [who, queue] = next;
      const piece = queue.shift();
      // To the end of the map, or out of it.
      this.#queues.delete(who);
      if (queue.length > 0) this.#queues.set(who, queue);
      await piece?.();
    }
    this.#busy = false;
  }
}
