/**
 * The proxy one would write first: connectNodeAdapter in front, undici's Pool.request
 * behind, an async generator per stream, JSON.parse per event.
 */

import { createServer } from "node:http2";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Pool } from "undici";
import { FinishReason, type GenerationSpec } from "../../../gen/sluice/v1/generation_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { type ChatAnswer, encodeChatBody } from "../chat-body.ts";
import { listen, readUpstreamOrigin } from "../listen.ts";

interface ChatChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

const HEADERS = { "content-type": "application/json", authorization: "Bearer bench" };
const pool = new Pool(readUpstreamOrigin(), { connections: 2048, pipelining: 1, keepAliveTimeout: 60_000 });

async function post(spec: GenerationSpec | undefined, stream: boolean) {
  const body = encodeChatBody(spec, stream);
  const answer = await pool.request({ method: "POST", path: "/v1/chat/completions", headers: HEADERS, body });
  if (answer.statusCode === 200) return answer.body;
  await answer.body.dump();
  throw new ConnectError(`upstream answered ${answer.statusCode}`, Code.Unavailable);
}

async function* readTexts(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let carry = "";
  for await (const chunk of body) {
    const lines = (carry + decoder.decode(chunk, { stream: true })).split("\n");
    carry = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
      const text = (JSON.parse(line.slice(6)) as ChatChunk).choices[0]?.delta.content;
      if (text) yield text;
    }
  }
}

function routes(router: ConnectRouter): void {
  router.service(RouterService, {
    async generate(request) {
      const body = await post(request.spec, false);
      const answer = (await body.json()) as ChatAnswer;
      return {
        responseModel: answer.model,
        text: answer.choices[0]?.message.content ?? "",
        finishReason: FinishReason.STOP,
        usage: {
          inputTokenCount: BigInt(answer.usage.prompt_tokens),
          outputTokenCount: BigInt(answer.usage.completion_tokens),
        },
      };
    },
    async *streamGenerate(request) {
      let sequenceNumber = 0;
      for await (const text of readTexts(await post(request.spec, true))) {
        yield {
          sequenceNumber: sequenceNumber++,
          attemptNumber: 1,
          event: { case: "textDelta" as const, value: { text } },
        };
      }
    },
  });
}

const server = createServer(
  { settings: { maxConcurrentStreams: 1024, initialWindowSize: 1 << 20 }, maxSessionMemory: 1000 },
  connectNodeAdapter({ routes }),
);
server.on("session", (session) => session.setLocalWindowSize(4 << 20));
listen(server);
