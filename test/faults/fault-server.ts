/**
 * The model server that goes wrong, in a process of its own: bare sockets, so that it can
 * send what no HTTP library would. `/f/<fault>/<moment>/<number>/<dialect>/…` says what to
 * play; addresses for faults of dialing are opened on demand.
 */

import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { CANARIES } from "../support/canaries.ts";
import { CANNED_DIALECTS, type DialectName } from "./canned-answer.ts";
import type { ListenerKind } from "./catalogue/dialing-faults.ts";
import type { Moment } from "./fault.ts";
import { FAULTS } from "./fault-plan.ts";
import { FaultWire } from "./fault-wire.ts";
import { type ListenerCertificates, openListener } from "./listeners.ts";

/** What the server tells. `number` is the cell's; sockets that never told it have none. */
export type ServerNews =
  | { readonly kind: "ready"; readonly port: number }
  | { readonly kind: "listening"; readonly key: string; readonly port: number }
  | { readonly kind: "asked"; readonly number: number; readonly hasKey: boolean; readonly hasPrompt: boolean }
  | { readonly kind: "answered"; readonly number: number }
  | { readonly kind: "closed"; readonly number: number }
  | { readonly kind: "open_sockets"; readonly count: number };

/** What the server is told. */
export type ServerOrder =
  | {
      readonly kind: "listen";
      readonly key: string;
      readonly listener: ListenerKind;
      readonly certificates: ListenerCertificates | undefined;
    }
  | { readonly kind: "count_sockets" };

const sockets = new Set<Socket>();
const faults = new Map(FAULTS.map((fault) => [fault.name, fault]));

function tell(news: ServerNews): void {
  process.send?.(news);
}

/** Reads one request after the other from a connection and plays what each asks for. */
export function serve(socket: Socket): void {
  sockets.add(socket);
  let number: number | undefined;
  let received = Buffer.alloc(0);
  socket.on("error", () => {});
  // The other side let go. Its FIN does not close what allows half-open connections.
  socket.once("end", () => socket.destroy());
  socket.once("close", () => {
    sockets.delete(socket);
    if (number !== undefined) tell({ kind: "closed", number });
  });
  socket.on("data", (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    const request = readRequest(received);
    if (request === undefined) return;
    received = received.subarray(request.lengthBytes);
    const [, , faultName = "", moment = "", cell = "", dialectName = ""] = request.path.split("/");
    const dialect = CANNED_DIALECTS[dialectName as DialectName];
    number = Number(cell);
    const asked = number;
    tell({
      kind: "asked",
      number,
      hasKey:
        request.head.toLowerCase().includes(`\r\n${dialect.keyHeader}: `) &&
        request.head.includes(CANARIES.providerKey),
      hasPrompt: request.body.includes(CANARIES.prompt),
    });
    const wire = new FaultWire(socket, dialect, CANARIES.upstreamText, () =>
      tell({ kind: "answered", number: asked }),
    );
    if (faultName === "none") wire.proceed("before_headers");
    else faults.get(faultName)?.play(wire, moment as Moment);
  });
}

function readRequest(bytes: Buffer) {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const [, length = "0"] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  const lengthBytes = headEnd + 4 + Number(length);
  if (bytes.length < lengthBytes) return undefined;
  const [, path = ""] = head.split(" ");
  return { head, path, body: bytes.toString("utf8", headEnd + 4, lengthBytes), lengthBytes };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

if (import.meta.main) {
  process.on("message", async (order: ServerOrder) => {
    if (order.kind === "count_sockets") return tell({ kind: "open_sockets", count: sockets.size });
    const makeTls = (options: ListenerCertificates[keyof ListenerCertificates]) =>
      createTlsServer({ cert: options.certificate, key: options.privateKey }, serve);
    const port = await openListener(order.listener, order.certificates, {
      track: (socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.once("end", () => socket.destroy());
        socket.once("close", () => sockets.delete(socket));
      },
      makeTls,
    });
    tell({ kind: "listening", key: order.key, port });
  });
  const server = createServer({ allowHalfOpen: true }, serve);
  server.listen(0, "127.0.0.1", () => tell({ kind: "ready", port: portOf(server) }));
  // The harness is gone: nobody needs this any more.
  process.on("disconnect", () => process.exit(0));
}
