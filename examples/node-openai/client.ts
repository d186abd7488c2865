/** Calls Sluice with the OpenAI client for Node: node client.ts [HOST:PORT] */

import OpenAI from "openai";

const address = process.argv[2] ?? process.env.SLUICE_SERVER ?? "127.0.0.1:50051";
const client = new OpenAI({
  baseURL: `http://${address}/v1`,
  // The client insists on a key; Sluice asks for none.
  apiKey: "unused",
  // Sluice has already tried every model that fits: more tries would only multiply the attempts.
  maxRetries: 0,
});

/** One question to whichever model fits; a name of the catalog in place of `auto` asks that model. */
function ask(content: string) {
  return { model: "auto", messages: [{ role: "user" as const, content }] };
}

async function generate(): Promise<void> {
  const answer = await client.chat.completions.create(ask("Say hello"));
  console.log(`unary: ${answer.model} answered ${answer.choices[0]?.message.content?.length} characters`);
}

async function stream(): Promise<void> {
  let text = "";
  let finishReason: string | undefined;
  for await (const chunk of await client.chat.completions.create({
    ...ask("Tell me a story"),
    stream: true,
  })) {
    text += chunk.choices[0]?.delta.content ?? "";
    finishReason = chunk.choices[0]?.finish_reason ?? finishReason;
  }
  console.log(`stream: ${text.length} characters, finished: ${finishReason !== undefined}`);
}

async function fail(): Promise<void> {
  try {
    await client.chat.completions.create({ ...ask("Hi"), model: "no-such-model" });
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    console.log(`error: ${error.status} ${error.code}`);
  }
}

async function exceedDeadline(): Promise<void> {
  try {
    await client.chat.completions.create(ask("Tell me a long story"), { timeout: 300 });
  } catch (error) {
    if (!(error instanceof OpenAI.APIConnectionTimeoutError)) throw error;
    console.log("deadline: timed out");
  }
}

async function cancel(): Promise<void> {
  const answer = await client.chat.completions.create({ ...ask("Tell me a long story"), stream: true });
  for await (const chunk of answer) {
    if (chunk.choices[0]?.delta.content) break; // Leaving the loop closes the request, and Sluice stops the model.
  }
  console.log("cancel: left after the first words");
}

for (const step of [generate, stream, fail, exceedDeadline, cancel]) await step();
