import * as z from "zod";

import { NATS_URL_RIGHT, parseNatsUrl } from "../values/nats-url.ts";
import { filePath, line, parsedText, relation, section } from "./fields.ts";

const REPLICA_RIGHT = "1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit";
const PREFIX_RIGHT = "one to three words of lower-case letters, digits and hyphens, with dots between them";
const SECRET_RIGHT = "text of one line, at most 4096 characters";

/** The fields that say who a replica is, each a way of its own. */
const WAYS = ["user", "token", "nkey_seed_file", "creds_file"] as const;

function secretText() {
  return line(SECRET_RIGHT, /^[^\0\r\n]{1,4096}$/);
}

const tls = section({
  ca_file: filePath({
    description:
      "The PEM certificates of the authorities that the server's certificate is checked against. Leave it out for those that Node knows.",
    examples: ["tls/nats-ca.crt"],
  }).optional(),
  certificate_file: filePath({
    description: "The PEM certificate chain of this replica, for servers that want one.",
    examples: ["tls/replica.crt"],
  }).optional(),
  private_key_file: filePath({
    description: "The PEM private key of that certificate.",
    examples: ["tls/replica.key"],
  }).optional(),
})
  .check(
    ...[
      ["certificate_file", "private_key_file"],
      ["private_key_file", "certificate_file"],
    ].map(([field = "", other = ""]) =>
      relation(
        [field, other],
        (values) => values[field] === undefined || values[other] !== undefined,
        `is given without ${other}`,
        "both, or neither",
      ),
    ),
  )
  .meta({
    description:
      "A connection without TLS is refused. `tls: {}` is enough where Node knows the authority. The files are read again for each connection.",
  });

/** `nats` in the file. */
export const natsSection = section({
  servers: z
    .array(
      parsedText(NATS_URL_RIGHT, parseNatsUrl).meta({
        title: "URL",
        description:
          "`nats://host:port`, or `tls://host:port` to refuse a connection without TLS. Credentials may stand before the host; better a variable or the fields below.",
        examples: ["nats://nats-1.example.org:4222", "tls://nats-2.example.org"],
      }),
      { error: "a list of URLs" },
    )
    .min(1, { error: "one URL or more" })
    .prefault(["nats://127.0.0.1:4222"])
    .meta({
      title: "list of URLs",
      description: "The servers, tried in order. Addresses that a cluster announces are not used: list all.",
    }),
  replica_id: line(REPLICA_RIGHT, /^[a-z0-9][a-z0-9-]{0,62}$/)
    .optional()
    .meta({
      title: "name",
      description:
        "Names this replica; no other may have the same. The server's permissions are given by it. Left out, it is made of the machine's name and chance.",
      examples: ["sluice-1", "$" + "{HOSTNAME}"],
    }),
  subject_prefix: line(PREFIX_RIGHT, /^[a-z0-9-]{1,32}(?:\.[a-z0-9-]{1,32}){0,2}$/)
    .default("sluice")
    .meta({
      title: "words with dots",
      description:
        "What every subject begins with. Replicas with different prefixes do not know of each other.",
      examples: ["sluice", "prod.sluice"],
    }),
  encoding: z.enum(["protobuf", "json"], { error: "protobuf or json" }).default("protobuf").meta({
    title: "encoding",
    description:
      "How messages are written: `protobuf`, or `json` for the JSON form of protobuf, which is larger and readable. The header `Content-Type` tells.",
  }),
  user: secretText().optional().meta({ title: "text", description: "The user's name at the server." }),
  password: secretText()
    .optional()
    .meta({
      title: "text",
      description: "The user's password. Better a variable than the password itself.",
      examples: ["$" + "{NATS_PASSWORD}"],
    }),
  token: secretText()
    .optional()
    .meta({
      title: "text",
      description: "The token, for servers that want nothing else. Better a variable than the token itself.",
      examples: ["$" + "{NATS_TOKEN}"],
    }),
  nkey_seed_file: filePath({
    description:
      "A file with the seed of the user's nkey (`SU…`). Only a signature leaves this machine. Read again for each connection.",
    examples: ["/run/secrets/nats.nk"],
  }).optional(),
  creds_file: filePath({
    description: "A credentials file of `nsc`: a JWT and its seed. Read again for each connection.",
    examples: ["/run/secrets/nats.creds"],
  }).optional(),
  tls: tls.optional(),
})
  .check(
    relation(
      ["user", "password"],
      ({ user, password }) => user === undefined || password !== undefined,
      "is given without password",
      "both, or neither",
    ),
    relation(
      ["password", "user"],
      ({ user, password }) => password === undefined || user !== undefined,
      "is given without user",
      "both, or neither",
    ),
    ...WAYS.slice(1).map((way, index) =>
      relation(
        [way, ...WAYS.slice(0, index + 1)],
        (values) =>
          values[way] === undefined || WAYS.slice(0, index + 1).every((other) => values[other] === undefined),
        "is given beside another credential",
        `only one of ${WAYS.join(", ")}`,
      ),
    ),
  )
  .meta({
    description:
      "Replicas share what they learn over NATS (docs/nats.md). Leave it out, and `NATS_URL` unset, for a replica that works alone.",
  });
