/** Calls Sluice from a web page, by Connect or gRPC-Web. */

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import { GenerationSpecSchema, Role } from "./gen/sluice/v1/generation_pb.ts";
import { RouterService } from "./gen/sluice/v1/router_service_pb.ts";

const field = (id) => document.getElementById(id);
let stopping = new AbortController();

/** Makes a client of what the form says. The server must name this page's origin in `cors.origins`. */
function openClient() {
  const key = field("key").value;
  const addKey = (next) => (request) => {
    if (key !== "") request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  const options = { baseUrl: field("server").value, interceptors: [addKey] };
  const isGrpcWeb = field("protocol").value === "grpc-web";
  return createClient(
    RouterService,
    isGrpcWeb ? createGrpcWebTransport(options) : createConnectTransport(options),
  );
}

function ask() {
  const part = { part: { case: "text", value: field("prompt").value } };
  return create(GenerationSpecSchema, { messages: [{ role: Role.USER, parts: [part] }] });
}

async function generate(client, callOptions) {
  const answer = await client.generate({ spec: ask() }, callOptions);
  field("answer").textContent = answer.text;
  return `${answer.model} answered`;
}

async function stream(client, callOptions) {
  let isFinished = false;
  for await (const { event } of client.streamGenerate({ spec: ask() }, callOptions)) {
    if (event.case === "textDelta") field("answer").append(event.value.text);
    if (event.case === "finished") isFinished = true;
    // Kinds of events may be added: what is not known is skipped.
  }
  return isFinished ? "finished" : "the answer is not whole";
}

async function run(call) {
  stopping = new AbortController();
  field("state").textContent = "running";
  field("answer").textContent = "";
  try {
    // Always set a timeout: without one the server's own limit of minutes holds.
    field("state").textContent = await call(openClient(), { timeoutMs: 60_000, signal: stopping.signal });
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    // The reason that docs/errors.md lists; none when it was not Sluice that answered.
    const reason = error.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
    field("state").textContent = `failed: ${Code[error.code]} ${reason}`;
  }
}

field("generate").addEventListener("click", () => run(generate));
field("stream").addEventListener("click", () => run(stream));
field("stop").addEventListener("click", () => stopping.abort());
field("state").textContent = "ready";
