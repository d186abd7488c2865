import type { Priority } from "../../domain/request.ts";

/**
 * Who was chosen last for each target and priority, so that a choice does not swing
 * between candidates that are all but equal. Targets are the configured names only:
 * callers cannot make it grow.
 */
export class Incumbents {
  readonly #ids: Readonly<Record<Priority, Map<string, string>>> = {
    speed: new Map(),
    quality: new Map(),
    cost: new Map(),
    balanced: new Map(),
  };

  /** Undefined before the first choice. */
  find(target: string, priority: Priority): string | undefined {
    return this.#ids[priority].get(target);
  }

  remember(target: string, priority: Priority, deploymentId: string): void {
    this.#ids[priority].set(target, deploymentId);
  }

  /** Forgets everything, for example after a new configuration. */
  clear(): void {
    for (const ids of Object.values(this.#ids)) ids.clear();
  }
}
