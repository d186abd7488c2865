import * as z from "zod";

import { ADDRESS_RIGHT, parseAddress } from "../values/address.ts";
import { MAX_DURATION_MS } from "../values/duration.ts";
import type { Parsed } from "../values/parsed.ts";
import { readAs } from "../values/parsed.ts";
import {
  byteSize,
  duration,
  filePath,
  flag,
  isAtMost,
  line,
  parsedText,
  relation,
  section,
} from "./fields.ts";
import { limitsSection } from "./limits-section.ts";

const HOST_NAME_RIGHT = "a host name or an IP address, without port and brackets";

/** `host:port`. */
export const addressText = parsedText(ADDRESS_RIGHT, parseAddress);

/** `host:port`, or `off` for none. */
export const addressOrOffText = parsedText(
  `${ADDRESS_RIGHT}; or off`,
  (text): Parsed<z.infer<typeof addressText> | undefined> =>
    text === "off" ? readAs(undefined) : parseAddress(text),
);

const tls = section({
  certificate_file: filePath({
    description: "The PEM certificate chain, the server's own certificate first.",
    examples: ["tls/server.crt"],
  }),
  private_key_file: filePath({
    description: "The PEM private key of that certificate.",
    examples: ["tls/server.key"],
  }),
  client_ca_file: filePath({
    description:
      "The PEM certificates of the authorities that sign client certificates. With it callers may show one, and `auth.certificates` says who they are.",
    examples: ["tls/clients.crt"],
  }).optional(),
}).meta({
  description:
    "Serves TLS instead of cleartext. Relative paths start at the folder of the configuration file. Leave it out for cleartext.",
});

/** `server` in the file. */
export const serverSection = section({
  address: addressText.prefault("127.0.0.1:50051").meta({
    title: "address",
    description: "Where callers connect. Port 0 takes a free one.",
    examples: ["127.0.0.1:50051", "0.0.0.0:50051", "[::1]:50051"],
  }),
  admin_address: addressOrOffText.prefault("127.0.0.1:9464").meta({
    title: "address or off",
    description: "Where Prometheus and operators connect; `off` for none.",
    examples: ["127.0.0.1:9464", "off"],
  }),
  tls: tls.optional(),
  admin_tls: flag(false, {
    description: "Whether `admin_address` serves TLS too, with the certificate of `server.tls`.",
  }),
  allowed_hosts: z
    .array(line(HOST_NAME_RIGHT, /^[A-Za-z0-9_.:-]{1,253}$/).meta({ title: "host name" }), {
      error: "a list of host names",
    })
    .min(1, { error: "one host name or more" })
    .optional()
    .meta({
      title: "list of host names",
      description:
        "The names by which callers address the server, without ports; requests to other names get 403. Without it every name is taken, except on a loopback address in cleartext without `auth`: there only `localhost` and loopback addresses are, so that web pages cannot reach the server through a name of their own (DNS rebinding).",
      examples: ["sluice.internal.example"],
    }),
  reflection: flag(true, { description: "Whether gRPC reflection is served." }),
  max_request_bytes: byteSize(
    { minBytes: 1_024, maxBytes: 2 ** 30, defaultBytes: 16 * 2 ** 20 },
    { description: "The most bytes a request may have, decompressed." },
  ),
  max_header_bytes: byteSize(
    { minBytes: 1_024, maxBytes: 2 ** 20, defaultBytes: 16 * 2 ** 10 },
    { description: "The most bytes the headers of a request may have." },
  ),
  default_timeout: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 120_000 },
    { description: "The time limit of unary calls whose caller gives none." },
  ),
  default_stream_timeout: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 600_000 },
    { description: "The time limit of streams whose caller gives none." },
  ),
  max_timeout: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 3_600_000 },
    { description: "Longer time limits of callers are cut to this." },
  ),
  drain_delay: duration(
    { minMs: 0, maxMs: MAX_DURATION_MS, defaultMs: 0 },
    { description: "On SIGTERM: how long health says NOT_SERVING while new calls are still taken." },
  ),
  drain_timeout: duration(
    { minMs: 0, maxMs: MAX_DURATION_MS, defaultMs: 30_000 },
    { description: "On SIGTERM: how long calls under way may go on after that." },
  ),
  limits: limitsSection,
}).check(
  ...["default_timeout", "default_stream_timeout"].map((field) =>
    relation(
      [field, "max_timeout"],
      (server) => isAtMost(server[field], server.max_timeout),
      "is longer than max_timeout",
      "at most max_timeout (1h unless the file says otherwise)",
    ),
  ),
  relation(
    ["admin_tls", "tls"],
    ({ admin_tls, tls }) => admin_tls !== true || tls !== undefined,
    "is true and there is no tls",
    "server.tls with a certificate, or admin_tls: false",
  ),
);
