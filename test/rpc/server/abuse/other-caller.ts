import { createClient } from "@connectrpc/connect";
import { ModelService } from "../../../../gen/sluice/v1/model_service_pb.ts";
import { findTransport } from "../test-clients.ts";

/** Tells a call that hangs from one that is slow because the machine is. */
const HANG_MS = 20_000;

/** A well-behaved caller that calls all the time, one call after the other, over HTTP/2 and HTTP/1.1 in turn. */
export class OtherCaller {
  readonly #stop: () => void;
  readonly #done: Promise<void>;
  /** Calls that succeeded. */
  successCount = 0;
  readonly failures: unknown[] = [];

  constructor(baseUrl: string) {
    let isStopped = false;
    this.#stop = () => {
      isStopped = true;
    };
    const http2 = findTransport("gRPC over HTTP/2").open(baseUrl);
    const http1 = findTransport("Connect over HTTP/1.1").open(baseUrl);
    const clients = [http2, http1].map(({ transport }) => createClient(ModelService, transport));
    this.#done = (async () => {
      while (!isStopped) {
        for (const client of clients) {
          try {
            await client.listModels({}, { timeoutMs: HANG_MS });
            this.successCount++;
          } catch (error) {
            this.failures.push(error);
          }
        }
      }
      http2.close();
      http1.close();
    })();
  }

  /** Stops calling; resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#stop();
    await this.#done;
  }
}
