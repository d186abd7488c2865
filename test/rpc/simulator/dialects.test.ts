import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import type { ErrorKind } from "../../../src/simulator-server/dialect.ts";
import type { RunningSimulator } from "../../../src/simulator-server/start-simulator.ts";
import { ask, DIALECT_NAMES, openSimulator, type RequestDialect } from "./open-simulator.ts";

const STATUS: Readonly<Record<ErrorKind, Readonly<Record<RequestDialect, number>>>> = {
  auth: { openai: 401, glm: 401, openrouter: 401, anthropic: 401, ollama: 401 },
  invalid_request: { openai: 400, glm: 400, openrouter: 400, anthropic: 400, ollama: 400 },
  context_length_exceeded: { openai: 400, glm: 400, openrouter: 400, anthropic: 400, ollama: 400 },
  content_filter: { openai: 400, glm: 400, openrouter: 403, anthropic: 400, ollama: 400 },
  rate_limit: { openai: 429, glm: 429, openrouter: 429, anthropic: 429, ollama: 429 },
  quota_exhausted: { openai: 429, glm: 429, openrouter: 402, anthropic: 402, ollama: 429 },
  model_unavailable: { openai: 404, glm: 400, openrouter: 404, anthropic: 404, ollama: 404 },
  server_error: { openai: 500, glm: 500, openrouter: 500, anthropic: 500, ollama: 500 },
  overloaded: { openai: 503, glm: 429, openrouter: 529, anthropic: 529, ollama: 503 },
};

/** Where each dialect puts the word that tells the class. */
function readCode(dialect: RequestDialect, body: Record<string, unknown>): unknown {
  const error = body.error as Record<string, unknown>;
  if (dialect === "ollama") return typeof body.error;
  if (dialect === "openrouter") return (error.metadata as Record<string, unknown>).error_type;
  return dialect === "anthropic" ? error.type : (error.code ?? error.type);
}

const OVERLOADED = {
  openai: "overloaded",
  glm: "1305",
  openrouter: "provider_overloaded",
  anthropic: "overloaded_error",
  ollama: "string",
};

describe("the dialects of the simulator", () => {
  let simulator: RunningSimulator;

  afterEach(() => simulator.close());

  for (const dialect of DIALECT_NAMES) {
    it(`say that they are a simulation, in a header and in the text (${dialect})`, async () => {
      simulator = await openSimulator();
      for (const stream of [false, true]) {
        const response = await ask(simulator, dialect, { stream });
        expect(response.status).to.equal(200);
        expect(response.headers.get("x-sluice-simulated")).to.equal("true");
        expect(joinText(dialect, await response.text())).to.match(/^\[simulated answer by m\]/);
      }
    });

    it(`give the same text streamed and whole (${dialect})`, async () => {
      simulator = await openSimulator();
      const [whole, streamed] = await Promise.all(
        [false, true].map(async (stream) =>
          joinText(dialect, await (await ask(simulator, dialect, { stream })).text()),
        ),
      );
      expect(streamed).to.equal(whole);
    });

    it(`refuse with the status and shape of the provider (${dialect})`, async () => {
      for (const [kind, statuses] of Object.entries(STATUS)) {
        simulator = await openSimulator({ faultRatios: { [kind]: 1 } });
        const response = await ask(simulator, dialect);
        expect(response.status, kind).to.equal(statuses[dialect]);
        const body = (await response.json()) as Record<string, unknown>;
        if (kind === "overloaded") expect(readCode(dialect, body)).to.equal(OVERLOADED[dialect]);
        expect(JSON.stringify(body)).to.contain("[simulation]");
        expect(simulator.books.read(0, 1).requests[0]).to.include({ outcome: "error", outputTokens: 0 });
        await simulator.close();
      }
    });

    it(`name the field that is wrong (${dialect})`, async () => {
      simulator = await openSimulator();
      const response = await ask(simulator, dialect, { changes: { messages: [{ role: "wizard" }] } });
      expect(response.status).to.equal(400);
      expect(await response.text()).to.contain("messages[0].role is unknown");
    });

    it(`call a tool once, with arguments that fit its schema (${dialect})`, async () => {
      simulator = await openSimulator({ callsTools: true });
      const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
      const made = { name: "weather", description: "", parameters: schema };
      const tool =
        dialect === "anthropic"
          ? { name: "weather", input_schema: schema }
          : { type: "function", function: made };
      for (const stream of [false, true]) {
        const response = await ask(simulator, dialect, { stream, changes: { tools: [tool] } });
        const text = (await response.text()).replaceAll("\\", "");
        expect(text)
          .to.contain("weather")
          .and.to.match(/"?city/);
      }
    });
  }
});

describe("the simulator", () => {
  it("answers a request for what is no address, and goes on", async () => {
    const simulator = await openSimulator();
    try {
      for (const target of ["//", "http://", "http://[", "*"]) {
        const socket = connect(simulator.port, "127.0.0.1");
        socket.end(`GET ${target} HTTP/1.1\r\nhost: simulator\r\nconnection: close\r\n\r\n`);
        expect((await text(socket)).split("\r\n")[0], target).to.match(/^HTTP\/1.1 40[04] /);
      }
      expect((await ask(simulator, "openai")).status).to.equal(200);
    } finally {
      await simulator.close();
    }
  });
});

/** Joins what the answer's text is, by rules of each dialect that are written here anew. */
function joinText(dialect: RequestDialect, body: string): string {
  const lines = body.split("\n").flatMap((line) => {
    const text = line.startsWith("data: ") ? line.slice(6) : line;
    return text.startsWith("{") ? [JSON.parse(text)] : [];
  });
  const pieces = lines.map((line) => {
    if (dialect === "ollama") return line.message?.content;
    if (dialect === "anthropic") return line.content?.[0]?.text ?? line.delta?.text;
    return line.choices?.[0]?.message?.content ?? line.choices?.[0]?.delta?.content;
  });
  return pieces.filter((piece) => typeof piece === "string").join("");
}
