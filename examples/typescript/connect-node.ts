/** Calls Sluice from TypeScript with Connect: node connect-node.ts [HOST:PORT] */

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { type GenerationSpec, GenerationSpecSchema, Role } from "../../gen/sluice/v1/generation_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";

const address = process.argv[2] ?? process.env.SLUICE_SERVER ?? "127.0.0.1:50051";
// createConnectTransport and createGrpcWebTransport work as well, over HTTP/1.1 too.
const client = createClient(RouterService, createGrpcTransport({ baseUrl: `http://${address}` }));

/** Describes a generation: one question, to one model or to whichever fits. */
function ask(text: string, model?: string): GenerationSpec {
  return create(GenerationSpecSchema, {
    messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: text } }] }],
    ...(model === undefined ? {} : { target: { kind: { case: "model", value: model } } }),
  });
}

async function generate(): Promise<void> {
  // Always set a timeout: without one the server's own limit of minutes holds.
  const answer = await client.generate({ spec: ask("Say hello") }, { timeoutMs: 60_000 });
  console.log(`unary: ${answer.model} answered ${answer.text.length} characters`);
}

async function stream(): Promise<void> {
  let text = "";
  let isFinished = false;
  for await (const { event } of client.streamGenerate(
    { spec: ask("Tell me a story") },
    { timeoutMs: 60_000 },
  )) {
    if (event.case === "textDelta") text += event.value.text;
    if (event.case === "finished") isFinished = true;
    // Kinds of events may be added: what is not known is skipped.
  }
  console.log(`stream: ${text.length} characters, finished: ${isFinished}`);
}

async function fail(): Promise<void> {
  try {
    await client.generate({ spec: ask("Hi", "no-such-model") }, { timeoutMs: 60_000 });
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    // The reason that docs/errors.md lists; none when it was not Sluice that answered.
    const [info] = error.findDetails(ErrorInfoSchema);
    console.log(`error: ${Code[error.code]} ${info?.reason}`);
  }
}

async function exceedDeadline(): Promise<void> {
  try {
    await client.generate({ spec: ask("Tell me a long story") }, { timeoutMs: 300 });
  } catch (thrown) {
    console.log(`deadline: ${Code[ConnectError.from(thrown).code]}`);
  }
}

async function cancel(): Promise<void> {
  const controller = new AbortController();
  try {
    for await (const { event } of client.streamGenerate(
      { spec: ask("Tell me a long story") },
      { signal: controller.signal },
    )) {
      // Leaving the loop would not be enough: only the signal tells Sluice, which then stops the model.
      if (event.case === "textDelta") controller.abort();
    }
  } catch (thrown) {
    console.log(`cancel: ${Code[ConnectError.from(thrown).code]}`);
  }
}

for (const step of [generate, stream, fail, exceedDeadline, cancel]) await step();
