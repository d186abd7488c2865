import type { KnownName } from "./known-names.ts";
import type { TargetEntry, TargetReference } from "./target-entries.ts";

/** What leads back to itself: the reference that closes the circle, and the names on the way. */
export interface TargetCycle {
  readonly at: TargetReference;
  /** Begins and ends with the same name. */
  readonly names: readonly string[];
}

/**
 * How a name is followed. `tiers`: as a target, with its fallbacks. `instances`: as a
 * member of a pool, where only what it is made of counts.
 */
type Mode = "tiers" | "instances";

/** Which names lead to which, by the rules by which targets are resolved. */
export class TargetGraph {
  readonly #entries: ReadonlyMap<string, TargetEntry>;
  readonly #kinds: ReadonlyMap<string, KnownName["kind"]>;
  readonly #servingProviders: ReadonlySet<string>;

  /** Of a name that is given twice the first counts, as everywhere. */
  constructor(
    entries: readonly TargetEntry[],
    known: readonly KnownName[],
    servingProviders: ReadonlySet<string>,
  ) {
    // The last one set stays, so from the back.
    this.#entries = new Map(
      entries
        .toReversed()
        .flatMap((entry) => [
          ...entry.echelons.map(({ name }): [string, TargetEntry] => [name, entry]),
          [entry.name, entry] as const,
        ]),
    );
    this.#kinds = new Map(known.toReversed().map(({ name, kind }) => [name, kind]));
    this.#servingProviders = servingProviders;
  }

  /** Every circle once. Groups may name each other as fallbacks: only their own echelons are meant. */
  findCycles(): TargetCycle[] {
    const finished = new Set<string>();
    const cycles: TargetCycle[] = [];
    const follow = (name: string, mode: Mode, path: readonly string[]) => {
      const node = `${mode} ${name}`;
      if (finished.has(node)) return;
      for (const [at, nextMode] of this.#listNext(name, mode)) {
        const way = mode === nextMode ? [...path, name] : [name];
        const start = way.indexOf(at.name);
        if (start < 0) follow(at.name, nextMode, way);
        else cycles.push({ at, names: [...way.slice(start), at.name] });
      }
      finished.add(node);
    };
    for (const name of [...this.#entries.keys()].toReversed()) follow(name, "tiers", []);
    // A circle of pools is met once as targets and once as members.
    const shape = ({ names }: TargetCycle) => [...new Set(names)].toSorted().join("\n");
    return cycles.filter(
      (cycle, index) => cycles.findIndex((other) => shape(other) === shape(cycle)) === index,
    );
  }

  /** Whether a name stands for at least one deployment. Only where nothing leads back to itself. */
  serves(name: string): boolean {
    return this.#serves(name, "tiers", new Map());
  }

  #serves(name: string, mode: Mode, known: Map<string, boolean>): boolean {
    const entry = this.#findEntry(name);
    if (entry === undefined) {
      return this.#kinds.get(name) !== "provider" || this.#servingProviders.has(name);
    }
    if (entry.models.length > 0) return true;
    const node = `${mode} ${name}`;
    const found =
      known.get(node) ??
      this.#listNext(name, mode).some(([next, nextMode]) => this.#serves(next.name, nextMode, known));
    known.set(node, found);
    return found;
  }

  #listNext(name: string, mode: Mode): [TargetReference, Mode][] {
    const entry = this.#findEntry(name);
    if (entry === undefined) return [];
    switch (entry.kind) {
      case "pool":
        return entry.targets.map((target) => [target, "instances"]);
      case "alias":
        return (mode === "tiers" ? entry.targets : entry.targets.slice(0, 1)).map((target) => [target, mode]);
      case "group":
        return mode === "instances"
          ? []
          : entry.targets
              .filter((target) => this.#findEntry(target.name)?.kind !== "group")
              .map((target) => [target, mode]);
      case "chain":
        return [];
    }
  }

  /** The entry that a name means; undefined for models, providers and what is not there. */
  #findEntry(name: string): TargetEntry | undefined {
    const kind = this.#kinds.get(name);
    if (kind === "auto" || kind === "model" || kind === "provider") return undefined;
    return this.#entries.get(name);
  }
}
