import type { Server } from "node:net";

/**
 * Binds the server to 127.0.0.1 and the port in `PORT`, and ends the process when its
 * standard input closes, so that no contestant outlives the benchmark.
 */
export function listen(server: Server): void {
  server.listen(Number(process.env.PORT), "127.0.0.1");
  process.stdin.on("end", () => process.exit(0)).resume();
}

/** The mock upstream's origin, given by the runner, for example `http://127.0.0.1:4000`. */
export function readUpstreamOrigin(): string {
  const origin = process.env.UPSTREAM;
  if (!origin)
    throw new Error(
      "UPSTREAM is not set: it must be the origin of the upstream, such as http://127.0.0.1:4000",
    );
  return origin;
}
