/** API keys as lines for the terminal, and as JSON. */

import { type KeyRecord, stateOfKey } from "../auth/key-record.ts";
import type { Paint } from "./colour.ts";
import { UNKNOWN } from "./number-text.ts";
import { type Column, renderTable } from "./text-table.ts";

/** One row per key; no line is wider than `width` columns. */
export function renderKeys(keys: readonly KeyRecord[], nowMs: number, width: number, paint: Paint): string[] {
  const columns: readonly Column<KeyRecord>[] = [
    { heading: "ID", text: ({ id }) => id },
    { heading: "NAME", text: ({ name }) => name },
    { heading: "STATE", text: (key) => stateOfKey(key, nowMs) },
    { heading: "SCOPES", text: ({ scopes }) => scopes.join(" ") },
    { heading: "CREATED", text: ({ createdMs }) => formatDay(createdMs) },
    {
      heading: "EXPIRES",
      text: ({ expiresMs }) => (expiresMs === undefined ? UNKNOWN : formatDay(expiresMs)),
    },
  ];
  return renderTable(columns, keys, width, paint);
}

/** A key for scripts; times as ISO 8601, null where there is none. */
export function toKeyJson(key: KeyRecord, nowMs: number): Readonly<Record<string, unknown>> {
  const { id, name, scopes, createdMs, expiresMs, revokedMs } = key;
  return {
    ...{ id, name, state: stateOfKey(key, nowMs), scopes },
    created_at: formatTime(createdMs),
    expires_at: expiresMs === undefined ? null : formatTime(expiresMs),
    revoked_at: revokedMs === undefined ? null : formatTime(revokedMs),
  };
}

function formatDay(wallMs: number): string {
  return formatTime(wallMs).slice(0, 10);
}

function formatTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
