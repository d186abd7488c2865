/** A fixed day for fields that want one. */
const CREATED = "2026-01-01T00:00:00Z";

/**
 * The answer to a request for the list of models at a path; undefined when there is none at that
 * path. Where the simulation takes any name the list is empty: whatever it held, the rest would seem missing.
 */
export function listModels(path: string, names: readonly string[] = [], isAnthropic: boolean) {
  switch (path) {
    case "/v1/models":
      return isAnthropic ? listAnthropic(names) : listOpenAi(names);
    case "/api/v1/models":
      return listOpenRouter(names);
    case "/api/tags":
      return { models: names.map((name) => ({ name, model: name, modified_at: CREATED, size: 0 })) };
    case "/api/version":
      return { version: "0.0.0-simulated" };
    default:
      return undefined;
  }
}

function listOpenAi(names: readonly string[]) {
  const created = Date.parse(CREATED) / 1_000;
  return {
    object: "list",
    data: names.map((id) => ({ id, object: "model", created, owned_by: "simulation" })),
  };
}

function listOpenRouter(names: readonly string[]) {
  return { data: names.map((id) => ({ id, name: `${id} (simulated)` })) };
}

function listAnthropic(names: readonly string[]) {
  const data = names.map((id) => ({
    type: "model",
    id,
    display_name: `${id} (simulated)`,
    created_at: CREATED,
  }));
  return { data, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null };
}
