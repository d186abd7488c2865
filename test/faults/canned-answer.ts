/** A sound answer in each dialect, cut where faults strike. */

/** The dialects, by what speaks them; `gemini` is Google's OpenAI-compatible endpoint. */
export const DIALECT_NAMES = ["openai", "glm", "openrouter", "anthropic", "ollama", "gemini"] as const;

export type DialectName = (typeof DIALECT_NAMES)[number];

/** How one dialect writes an answer. A frame is one event or one line, with its end. */
export interface CannedDialect {
  readonly name: DialectName;
  /** The kind of provider in the configuration. */
  readonly kind: DialectName;
  /** Appended to the address of the server to make the base URL. */
  readonly basePath: string;
  readonly contentType: string;
  readonly framing: "sse" | "ndjson";
  /** Where the provider's key travels. */
  readonly keyHeader: "authorization" | "x-api-key";
  /** Frames before the first token. */
  readonly opening: readonly string[];
  /** The frame of one token. */
  token(text: string): string;
  /** Frames between the last token and those that tell usage. */
  readonly beforeUsage: readonly string[];
  /** The frames that tell usage and the end. */
  readonly ending: readonly string[];
  /** Whether the answer is whole before its usage has come: an end there takes nothing from it. */
  readonly isWholeBeforeUsage: boolean;
  /** Wraps any JSON as a frame. */
  frame(json: string): string;
  /** An error object with this text, as the dialect puts it into an answer. */
  errorJson(message: string): string;
  /** The frames of the end when usage is told with these figures; undefined leaves usage out. */
  endWithUsage(usage: UsageFigures | undefined): readonly string[];
  /** The frames of the end with the provider's own word for it. */
  endWithWord(word: string): readonly string[];
  /** One call of `add` whose arguments are `args`, and its end. */
  toolCall(name: string, args: string): readonly string[];
  /** The whole answer in one JSON text, as without streaming. */
  readonly wholeJson: string;
}

/** Figures as they are written into JSON, which may be no figures at all. */
export interface UsageFigures {
  readonly input: string;
  readonly output: string;
}

const TOKEN_COUNT = 6;
/** The moment `after_tokens` comes after so many of them. */
export const TOKENS_BEFORE_FAULT = 3;

/** Numbered, so that a lost, doubled or moved token shows. */
export const TOKENS: readonly string[] = Array.from({ length: TOKEN_COUNT }, (_, index) => `t${index} `);

/** The whole text. */
export const ANSWER_TEXT = TOKENS.join("");

const MODEL = "upstream-1";
const SOUND_USAGE: UsageFigures = { input: "7", output: "6" };
const DONE = "data: [DONE]\n\n";

interface ChatTraits {
  readonly opening: readonly string[];
  readonly role: string;
  /** Whether usage comes with the finish reason or after it. */
  readonly usage: "with_finish" | "after_finish" | "with_second_finish";
}

function chatDialect(
  parts: Pick<CannedDialect, "name" | "kind" | "basePath" | "errorJson">,
  { opening, role, usage }: ChatTraits,
): CannedDialect {
  const frame = (json: string) => `data: ${json}\n\n`;
  const chunk = (choices: string, more = "") =>
    frame(`{"id":"c1","object":"chat.completion.chunk","model":"${MODEL}","choices":[${choices}]${more}}`);
  const finish = (word: string) => `{"index":0,"delta":{},"finish_reason":${JSON.stringify(word)}}`;
  const writeUsage = ({ input, output }: UsageFigures) =>
    `,"usage":{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":13}`;
  const end = (word: string, figures: UsageFigures | undefined): readonly string[] => {
    const told = figures === undefined ? "" : writeUsage(figures);
    if (usage === "with_finish") return [chunk(finish(word), told), DONE];
    const second = usage === "with_second_finish" ? finish(word) : "";
    return [chunk(finish(word)), ...(told === "" ? [] : [chunk(second, told)]), DONE];
  };
  const sound = end("stop", SOUND_USAGE);
  const isWholeBeforeUsage = usage !== "with_finish";
  return {
    ...parts,
    contentType: "text/event-stream",
    framing: "sse",
    keyHeader: "authorization",
    opening: [
      ...opening,
      chunk(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`),
    ],
    token: (text) => chunk(`{"index":0,"delta":{${role}"content":${JSON.stringify(text)}}}`),
    beforeUsage: isWholeBeforeUsage ? sound.slice(0, 1) : [],
    ending: isWholeBeforeUsage ? sound.slice(1) : sound,
    isWholeBeforeUsage,
    frame,
    endWithUsage: (figures) => end("stop", figures),
    endWithWord: (word) => end(word, SOUND_USAGE),
    toolCall: (name, args) => [
      chunk(
        `{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":${JSON.stringify(name)},"arguments":${JSON.stringify(args)}}}]}}`,
      ),
      ...end("tool_calls", SOUND_USAGE),
    ],
    wholeJson: `{"id":"c1","object":"chat.completion","model":"${MODEL}","choices":[{"index":0,"message":{"role":"assistant","content":${JSON.stringify(ANSWER_TEXT)}},"finish_reason":"stop"}]${writeUsage(SOUND_USAGE)}}`,
  };
}

const openai = chatDialect(
  {
    name: "openai",
    kind: "openai",
    basePath: "/v1",
    errorJson: (message) =>
      JSON.stringify({ error: { message, type: "server_error", param: null, code: null } }),
  },
  { opening: [], role: "", usage: "after_finish" },
);

const glm = chatDialect(
  {
    name: "glm",
    kind: "glm",
    basePath: "/api/paas/v4",
    errorJson: (message) => JSON.stringify({ error: { code: "1234", message } }),
  },
  { opening: [], role: '"role":"assistant",', usage: "with_finish" },
);

const openrouter = chatDialect(
  {
    name: "openrouter",
    kind: "openrouter",
    basePath: "/api/v1",
    errorJson: (message) =>
      JSON.stringify({ error: { code: 500, message, metadata: { error_type: "server", raw: message } } }),
  },
  { opening: [": OPENROUTER PROCESSING\n\n"], role: "", usage: "with_second_finish" },
);

const gemini = chatDialect(
  {
    name: "gemini",
    kind: "gemini",
    basePath: "/v1beta/openai",
    // Google wraps its errors in a list.
    errorJson: (message) => JSON.stringify([{ error: { code: 500, message, status: "INTERNAL" } }]),
  },
  { opening: [], role: '"role":"assistant",', usage: "with_finish" },
);

const anthropic: CannedDialect = (() => {
  const frame = (json: string) => {
    const [, type = "ping"] = /"type":"(\w+)"/.exec(json) ?? [];
    return `event: ${type}\ndata: ${json}\n\n`;
  };
  const end = (word: string, figures: UsageFigures | undefined): readonly string[] => {
    const usage = figures === undefined ? "" : `,"usage":{"output_tokens":${figures.output}}`;
    return [
      frame(`{"type":"message_delta","delta":{"stop_reason":${JSON.stringify(word)}}${usage}}`),
      frame('{"type":"message_stop"}'),
    ];
  };
  const delta = (text: string) =>
    `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}`;
  const stopBlock = frame('{"type":"content_block_stop","index":0}');
  const message = (more: string) => `{"id":"m1","role":"assistant","model":"${MODEL}",${more}}`;
  return {
    name: "anthropic",
    kind: "anthropic",
    basePath: "",
    contentType: "text/event-stream",
    framing: "sse",
    keyHeader: "x-api-key",
    opening: [
      frame(
        `{"type":"message_start","message":${message('"content":[],"usage":{"input_tokens":7,"output_tokens":1}')}}`,
      ),
      frame('{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'),
      frame('{"type":"ping"}'),
    ],
    token: (text) => frame(delta(text)),
    beforeUsage: [stopBlock],
    ending: end("end_turn", SOUND_USAGE),
    isWholeBeforeUsage: false,
    frame,
    errorJson: (text) => JSON.stringify({ type: "error", error: { type: "api_error", message: text } }),
    endWithUsage: (figures) => [stopBlock, ...end("end_turn", figures)],
    endWithWord: (word) => [stopBlock, ...end(word, SOUND_USAGE)],
    toolCall: (name, args) => [
      stopBlock,
      frame(
        `{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":${JSON.stringify(name)},"input":{}}}`,
      ),
      frame(
        `{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":${JSON.stringify(args)}}}`,
      ),
      frame('{"type":"content_block_stop","index":1}'),
      ...end("tool_use", SOUND_USAGE),
    ],
    wholeJson: `{"type":"message","id":"m1","role":"assistant","model":"${MODEL}","content":[{"type":"text","text":${JSON.stringify(ANSWER_TEXT)}}],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":6}}`,
  };
})();

const ollama: CannedDialect = (() => {
  const frame = (json: string) => `${json}\n`;
  const line = (more: string) => frame(`{"model":"${MODEL}","created_at":"2026-01-01T00:00:00Z",${more}}`);
  const say = (message: string) => `"message":{"role":"assistant",${message}}`;
  const end = (word: string, figures: UsageFigures | undefined): readonly string[] => {
    const counts =
      figures === undefined ? "" : `,"prompt_eval_count":${figures.input},"eval_count":${figures.output}`;
    return [line(`${say('"content":""')},"done":true,"done_reason":${JSON.stringify(word)}${counts}`)];
  };
  return {
    name: "ollama",
    kind: "ollama",
    basePath: "",
    contentType: "application/x-ndjson",
    framing: "ndjson",
    keyHeader: "authorization",
    opening: [],
    token: (text) => line(`${say(`"content":${JSON.stringify(text)}`)},"done":false`),
    beforeUsage: [],
    ending: end("stop", SOUND_USAGE),
    isWholeBeforeUsage: false,
    frame,
    errorJson: (message) => JSON.stringify({ error: message }),
    endWithUsage: (figures) => end("stop", figures),
    endWithWord: (word) => end(word, SOUND_USAGE),
    // Arguments are an object here; what is none is sent as text.
    toolCall: (name, args) => [
      line(
        `${say(`"content":"","tool_calls":[{"function":{"name":${JSON.stringify(name)},"arguments":${JSON.stringify(args)}}}]`)},"done":false`,
      ),
      ...end("stop", SOUND_USAGE),
    ],
    wholeJson: `{"model":"${MODEL}",${say(`"content":${JSON.stringify(ANSWER_TEXT)}`)},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":6}`,
  };
})();

/** Every dialect, by name. */
export const CANNED_DIALECTS: Readonly<Record<DialectName, CannedDialect>> = {
  openai,
  glm,
  openrouter,
  anthropic,
  ollama,
  gemini,
};
