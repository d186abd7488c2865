/**
 * Loaded with --import before a gateway that knows no bind address: whatever it listens
 * on becomes 127.0.0.1, and it ends when the benchmark closes its standard input.
 */

import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function listenOnLoopback(...args) {
  const [port, ...rest] = args;
  const done = rest.find((arg) => typeof arg === "function");
  const number = typeof port === "object" ? port.port : port;
  return listen.call(this, { port: Number(number), host: "127.0.0.1" }, done);
};
process.stdin.on("end", () => process.exit(0)).resume();
