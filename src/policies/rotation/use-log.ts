/** In which order deployments were used last. A count, not a time: two uses are never equal. */
export class UseLog {
  readonly #lastUses = new Map<string, number>();
  #useCount = 0;

  /** Remembers that a deployment was dispatched to. */
  noteUse(deploymentId: string): void {
    this.#useCount += 1;
    this.#lastUses.set(deploymentId, this.#useCount);
  }

  /** The number of its last use, higher is later; 0 for one that was never used. */
  lastUseOf(deploymentId: string): number {
    return this.#lastUses.get(deploymentId) ?? 0;
  }

  /** Forgets deployments that are no longer configured. */
  keepOnly(deploymentIds: ReadonlySet<string>): void {
    for (const id of this.#lastUses.keys()) {
      if (!deploymentIds.has(id)) this.#lastUses.delete(id);
    }
  }
}
