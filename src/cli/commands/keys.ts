import { drawApiKey, formatApiKey, hashSecret } from "../../auth/api-key.ts";
import { changeKeyFile } from "../../auth/change-key-file.ts";
import { isKeyName, KEY_NAME_RIGHT, type KeyRecord, stateOfKey } from "../../auth/key-record.ts";
import { readKeyFile } from "../../auth/read-key-file.ts";
import { SCOPES } from "../../domain/caller.ts";
import { COMMON_OPTIONS, refusesColour } from "../call-options.ts";
import { choosePaint } from "../colour.ts";
import type { CommandGroup, LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseExpiryOption } from "../key-expiry.ts";
import { KEY_FILE_OPTIONS, locateKeyFile } from "../key-file-option.ts";
import { parseScopeOption } from "../key-scope-option.ts";
import { renderKeys, toKeyJson } from "../keys-table.ts";
import { printable } from "../printable-text.ts";
import { chooseWidth, type Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

const createCommand: LeafCommand = {
  kind: "leaf",
  name: "keys create",
  summary: "make an API key and print it once",
  operands: "name",
  maxOperandCount: 1,
  description:
    "The name says who holds the key. Only a hash of it is stored: what is printed cannot be printed again. A running server takes it within two seconds.",
  options: {
    scope: {
      type: "string",
      placeholder: "SCOPE",
      multiple: true,
      description: `what it may do; may be given several times: ${SCOPES.join(", ")}`,
    },
    expires: {
      type: "string",
      placeholder: "WHEN",
      description: "when it ends: 90d, 12h, or a date such as 2030-01-31 (default: never)",
    },
    ...KEY_FILE_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    {
      command: "sluice keys create team-a --scope generate --scope models.read --expires 90d",
      meaning: "for those who generate",
    },
    { command: "sluice keys create prometheus --scope metrics", meaning: "for those who watch" },
  ],
  async run(args, terminal) {
    const [name] = args.operands;
    if (name === undefined) throw new UsageError("`sluice keys create` needs a name for who holds the key.");
    if (!isKeyName(name)) throw new UsageError(`"${printable(name)}" is no name: ${KEY_NAME_RIGHT}.`);
    const scopes = parseScopeOption(args.texts("scope"));
    const createdMs = terminal.clock.wallMs();
    const expiresMs = parseExpiryOption(args.text("expires"), createdMs);
    const path = await locateKeyFile(args, terminal);
    const result = await changeKeyFile(path, (keys) => {
      const drawn = drawApiKey();
      const key: KeyRecord = {
        ...{ id: drawn.id, name, scopes, createdMs, expiresMs, revokedMs: undefined },
        secretHash: hashSecret(drawn.secret),
      };
      return { keys: [...keys, key], value: { key, text: formatApiKey(drawn) } };
    });
    if (!result.ok) return complain(path, result.problem, terminal);
    const { key, text } = result.value;
    await terminal.stderr.write(
      `sluice: key ${key.id} for ${name} is in ${printable(path)}. It is printed this once:\n`,
    );
    await terminal.stdout.write(`${text}\n`);
    return exitCode("ok");
  },
};

const listCommand: LeafCommand = {
  kind: "leaf",
  name: "keys list",
  summary: "list the API keys, without their secrets",
  operands: "",
  maxOperandCount: 0,
  description: "Revoked and expired keys are listed too.",
  options: {
    json: { type: "boolean", description: "print the list as JSON" },
    ...KEY_FILE_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [{ command: "sluice keys list", meaning: "the keys of the configuration's keys file" }],
  async run(args, terminal) {
    const path = await locateKeyFile(args, terminal);
    const file = await readKeyFile(path);
    if (!file.ok) return complain(path, file.problem, terminal);
    const { stdout, env, clock } = terminal;
    const nowMs = clock.wallMs();
    if (args.has("json")) {
      const entries = file.keys.map((key) => toKeyJson(key, nowMs));
      await stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
      return exitCode("ok");
    }
    const paint = choosePaint(stdout, env, refusesColour(args));
    const lines = renderKeys(file.keys, nowMs, chooseWidth(stdout, env), paint);
    await stdout.write(`${lines.join("\n")}\n`);
    return exitCode("ok");
  },
};

const revokeCommand: LeafCommand = {
  kind: "leaf",
  name: "keys revoke",
  summary: "end an API key for good",
  operands: "id",
  maxOperandCount: 1,
  description:
    "The id stands in `sluice keys list`, in the server's log, and between the two `_` of the key. Running servers refuse the key within two seconds. Calls under way go on.",
  options: { ...KEY_FILE_OPTIONS, ...COMMON_OPTIONS },
  examples: [{ command: "sluice keys revoke 4fJ2kQ0aXbZ", meaning: "for example because it leaked" }],
  async run(args, terminal) {
    const [id] = args.operands;
    if (id === undefined) throw new UsageError("`sluice keys revoke` needs the id of a key.");
    const path = await locateKeyFile(args, terminal);
    const revokedMs = terminal.clock.wallMs();
    const result = await changeKeyFile(path, (keys) => {
      const found = keys.find((key) => key.id === id);
      if (found === undefined) return { problem: `has no key ${describeId(id)}` };
      // The first revocation is the one that counts.
      const ended = { ...found, revokedMs: found.revokedMs ?? revokedMs };
      return {
        keys: keys.map((key) => (key === found ? ended : key)),
        value: { name: found.name, wasRevoked: stateOfKey(found, revokedMs) === "revoked" },
      };
    });
    if (!result.ok) return complain(path, result.problem, terminal);
    const { name, wasRevoked } = result.value;
    await terminal.stdout.write(`key ${id} of ${name} ${wasRevoked ? "was revoked before" : "is revoked"}\n`);
    return exitCode("ok");
  },
};

/** `sluice keys`: makes, lists and revokes API keys. Works on the keys file alone; never calls a server. */
export const keysCommand: CommandGroup = {
  kind: "group",
  name: "keys",
  summary: "make, list or revoke the API keys of callers",
  commands: [createCommand, listCommand, revokeCommand],
  examples: createCommand.examples,
};

/** Whoever pastes a whole key here must not find it on the screen again. */
function describeId(id: string): string {
  return /^[0-9A-Za-z]{1,11}$/.test(id) ? id : "of that id; an id has 11 letters and digits";
}

async function complain(path: string, problem: string, { stderr }: Terminal): Promise<number> {
  await stderr.write(`sluice: the keys file ${printable(path)} ${problem}\n`);
  return exitCode("failure");
}
