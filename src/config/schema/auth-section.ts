import * as z from "zod";

import { SCOPES } from "../../domain/caller.ts";
import { ORIGIN_RIGHT, parseOrigin } from "../values/origin.ts";
import { filePath, flag, line, parsedText, relation, section } from "./fields.ts";

const SUBJECT_NAME_RIGHT = "URI: or DNS: and the whole name in the certificate, without patterns";
const NAME_RIGHT = "1 to 64 letters, digits and `_.@/-`, beginning with a letter or digit";

const scope = z.enum(SCOPES, { error: SCOPES.join(", ") }).meta({ title: "scope" });

const certificate = section({
  subject_name: line(SUBJECT_NAME_RIGHT, /^(?:URI:[\x21-\x7e]{1,2048}|DNS:[A-Za-z0-9_.-]{1,253})$/).meta({
    title: "text",
    description:
      "The subjectAltName of the client certificate: `URI:` with a URI such as a SPIFFE id, or `DNS:` with a host name. Compared whole; the common name counts for nothing.",
    examples: ["URI:spiffe://example.org/ns/prod/sa/chat", "DNS:chat.example.org"],
  }),
  name: line(NAME_RIGHT, /^[A-Za-z0-9][A-Za-z0-9_.@/-]{0,63}$/).meta({
    title: "text",
    description: "Who that is, in logs.",
    examples: ["chat"],
  }),
  scopes: z
    .array(scope, { error: "a list of scopes" })
    .min(1, { error: "one scope or more" })
    .meta({
      title: "list of scopes",
      description: `What the caller may do: ${SCOPES.map((each) => `\`${each}\``).join(", ")}.`,
    }),
});

/** `auth` in the file. */
export const authSection = section({
  keys_file: filePath({
    description:
      "The file with the hashes of API keys, made by `sluice keys create`. Read again within two seconds of a change and on SIGHUP. Relative paths start at the folder of the configuration file.",
    examples: ["sluice-keys.json"],
  }).optional(),
  certificates: z.array(certificate, { error: "a list" }).default([]).meta({
    description: "Callers by a name in their client certificate; they come with `server.tls.client_ca_file`.",
  }),
  open_reflection: flag(false, {
    description: "Whether reflection needs no credential; otherwise it needs the scope `models.read`.",
  }),
  open_metrics_page: flag(false, {
    description:
      "Whether the page `/metrics` of the admin address needs no credential; otherwise it needs the scope `metrics` (Prometheus: `authorization` with `credentials_file`).",
  }),
})
  .check(
    relation(
      ["keys_file", "certificates"],
      ({ keys_file, certificates }) =>
        keys_file !== undefined || (Array.isArray(certificates) && certificates.length > 0),
      "is left out and no certificates are listed, so nobody could call",
      "a keys file, certificates, or both; without `auth` everybody may call",
    ),
  )
  .meta({
    description:
      "Callers must say who they are: by an API key sent as `authorization: Bearer …`, or by a client certificate. Each method needs a scope; what has no scope is refused, and only health checks are open. Leave it out and everybody who reaches the address may call.",
  });

/** `cors` in the file. */
export const corsSection = section({
  origins: z
    .array(parsedText(ORIGIN_RIGHT, parseOrigin).meta({ title: "origin" }), { error: "a list of origins" })
    .default([])
    .meta({
      title: "list of origins",
      description: "The origins of those pages, as browsers send them. Empty means none.",
      examples: ["https://app.example.org"],
    }),
}).meta({
  description:
    "Which web pages may call from a browser, by gRPC-Web, Connect or plain HTTP. Leave it out and none may.",
});

/** `images` in the file. */
export const imagesSection = section({
  urls: z.enum(["pass", "refuse"], { error: "pass or refuse" }).default("pass").meta({
    title: "policy",
    description:
      "What becomes of pictures given by address: `pass` hands the address to the provider, which fetches it; `refuse` refuses the request. Sluice itself fetches none.",
  }),
});
