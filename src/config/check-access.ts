import type { ConfigProblem } from "./problem.ts";
import { childValue, valueAt } from "./schema/schema-node.ts";
import type { YamlSource } from "./yaml-source.ts";

/**
 * Checks what `auth` needs of the rest of the file: certificates come with authorities
 * that sign them, and each name stands for one caller only.
 */
export function checkAccess(root: unknown, file: YamlSource): ConfigProblem[] {
  const path = ["auth", "certificates"];
  const certificates = valueAt(root, path);
  if (!Array.isArray(certificates) || certificates.length === 0) return [];
  const problems: ConfigProblem[] = [];
  if (valueAt(root, ["server", "tls", "client_ca_file"]) === undefined && !file.isBroken(["server"])) {
    const wrong = "are listed, but the server asks for no client certificates";
    problems.push(file.problemAtKey(path, wrong, "server.tls with client_ca_file"));
  }
  const seen = new Set<string>();
  for (const [index, certificate] of certificates.entries()) {
    const subjectName = childValue(certificate, "subject_name");
    const at = [...path, index, "subject_name"];
    if (typeof subjectName !== "string" || file.isBroken(at)) continue;
    // Host names have no case.
    const name = subjectName.startsWith("DNS:") ? subjectName.toLowerCase() : subjectName;
    if (seen.has(name))
      problems.push(file.problemAt(at, "is the name of an earlier entry", "each name once"));
    seen.add(name);
  }
  return problems;
}
