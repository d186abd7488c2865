/** What node:http2 costs with nothing behind it: the floor of the floor. */

import { createServer } from "node:http2";
import { listen } from "../listen.ts";

const HEADERS = { ":status": 200, "content-type": "text/plain" };

const server = createServer({ settings: { maxConcurrentStreams: 1024 } });
server.on("stream", (stream) => {
  stream.resume();
  stream.respond(HEADERS);
  stream.end("hello");
});
listen(server);
