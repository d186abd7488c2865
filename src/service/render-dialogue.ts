/** Seed 004's dialogue, checked and rendered to messages by the rule that Dialogue states in the contract. */

import type { Dialogue, DialogueTurn } from "../../gen/sluice/v1/generation_pb.ts";
import type { Message, Role } from "../domain/request.ts";
import { MAX_TEXT_CHARACTERS, type Violations } from "./violations.ts";

const MAX_TURNS = 500;

/** Reports what is wrong with a dialogue; true when nothing is. */
export function checkDialogue(dialogue: Dialogue, violations: Violations): boolean {
  const before = violations.list.length;
  if (dialogue.query === "") violations.add("spec.dialogue.query", "must not be empty");
  const texts = [
    ["prompt_template", dialogue.promptTemplate],
    ["role_name", dialogue.roleName],
    ["user_name", dialogue.userName],
    ["query", dialogue.query],
  ] as const;
  for (const [field, text] of texts) {
    if (text.length > MAX_TEXT_CHARACTERS) violations.addTooLong(`spec.dialogue.${field}`);
  }
  const histories = [
    ["long_history", dialogue.longHistory],
    ["short_history", dialogue.shortHistory],
  ] as const;
  for (const [field, turns] of histories) {
    if (turns.length > MAX_TURNS) {
      violations.add(`spec.dialogue.${field}`, `has ${turns.length} turns; at most ${MAX_TURNS} are allowed`);
    }
  }
  return violations.list.length === before;
}

/** Renders a checked dialogue: system message, long history, short history, query. */
export function renderDialogue(dialogue: Dialogue): readonly Message[] {
  const names: Readonly<Record<string, string>> = {
    role_name: dialogue.roleName,
    user_name: dialogue.userName,
  };
  // One pass, so that a name that looks like a placeholder is not replaced again.
  const system = dialogue.promptTemplate.replace(
    /\{\{(role_name|user_name)\}\}/g,
    (_match, name: string) => names[name] ?? "",
  );
  return [
    ...textMessage("system", system),
    ...[...dialogue.longHistory, ...dialogue.shortHistory].flatMap(renderTurn),
    ...textMessage("user", dialogue.query),
  ];
}

function renderTurn(turn: DialogueTurn): readonly Message[] {
  return [...textMessage("user", turn.userText), ...textMessage("assistant", turn.assistantText)];
}

function textMessage(role: Role, text: string): readonly Message[] {
  return text === "" ? [] : [{ role, parts: [{ kind: "text", text }] }];
}
