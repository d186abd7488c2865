import { connect, createServer } from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { expect } from "chai";
import { DEFAULT_SERVER_LIMITS } from "../../../src/config/server-limits.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { Http2Sessions } from "../../../src/server/edge/http2-sessions.ts";
import { MemoryLogger } from "../../support/start-test-server.ts";

describe("Http2Sessions", () => {
  it("keep nothing of connections that Node makes no session of", async () => {
    const server = createServer();
    // As TLS sockets are whose client did not say in ALPN that it speaks HTTP/2.
    server.prependListener("connection", (socket) => {
      if (unspoken.size > 0) Object.assign(socket, { alpnProtocol: false });
    });
    const unspoken = new Set<object>();
    server.on("unknownProtocol", (socket) => socket.destroy());
    const sessions = new Http2Sessions(server, {
      limits: DEFAULT_SERVER_LIMITS,
      clock: systemClock,
      random: seededRandom(1),
      logger: new MemoryLogger(),
    });
    const listenerCount = server.listenerCount("session");
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    for (let index = 0; index < 3; index++) {
      const socket = connectTcp(port, "127.0.0.1");
      unspoken.add(socket);
      await new Promise((resolve) => socket.once("close", resolve).resume());
    }
    unspoken.clear();
    expect(server.listenerCount("session")).to.equal(listenerCount);
    const session = connect(`http://127.0.0.1:${port}`);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(sessions.count).to.equal(1);
    session.destroy();
    await sessions.destroy();
    server.close();
  });
});
