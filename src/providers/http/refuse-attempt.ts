import type { ProviderFailure } from "../../domain/outcome.ts";
import type { ProviderAttempt, ProviderSink } from "../../domain/ports.ts";

/** An attempt that fails before anything is sent: the end is told in a microtask, unless it is aborted first. */
export function refuseAttempt(failure: ProviderFailure, sink: ProviderSink): ProviderAttempt {
  let isOver = false;
  queueMicrotask(() => {
    if (!isOver) sink.onEnd({ kind: "failed", failure });
    isOver = true;
  });
  return {
    pause() {},
    resume() {},
    abort() {
      isOver = true;
    },
  };
}
