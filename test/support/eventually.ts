/**
 * Waits until `check` returns without throwing, looking again every few
 * milliseconds; fails with its last error after `timeoutMs`. For real sockets only:
 * tests with a FakeClock never need it.
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 8_000): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
