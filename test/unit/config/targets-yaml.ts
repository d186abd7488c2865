/** A file whose catalog has these models, each on the provider `p` and one on `q`, followed by more text. */
export function targetsYaml(rest: string, models: readonly string[] = ["m1", "m2", "m3"]): string {
  const entries = models.map(
    (name) =>
      `  - { name: ${JSON.stringify(name)}, context_window_tokens: 9, max_output_tokens: 9, deployments: [{ provider: p }] }\n`,
  );
  return `providers: { p: { kind: simulator }, idle: { kind: simulator } }\nmodels:\n${entries.join("")}${rest}`;
}
