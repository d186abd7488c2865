/**
 * Waits until `check` returns without throwing, looking again at every turn of the
 * event loop; fails with its last error after `timeoutMs`. For real sockets only:
 * tests with a FakeClock never need it.
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 1_500): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
