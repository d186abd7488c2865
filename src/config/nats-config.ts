import type { Secret } from "../lib/secret.ts";

/** How a replica reaches the others over NATS. */
export interface NatsConfig {
  /** Tried in order, round after round; never empty. */
  readonly servers: readonly NatsServer[];
  /** Names this replica, also in subjects; undefined leaves the name to chance. */
  readonly replicaId: string | undefined;
  /** The first tokens of every subject, in place of `sluice`. */
  readonly subjectPrefix: string;
  /** How payloads are written, told to receivers in the header `Content-Type`. */
  readonly encoding: NatsEncoding;
  /** Used for servers that have none of their own; undefined shows none. */
  readonly credentials: NatsCredentials | undefined;
  /** Undefined means TLS only where the server asks for it, checked against the authorities that Node knows. */
  readonly tls: NatsTls | undefined;
}

export type NatsEncoding = "protobuf" | "json";

export interface NatsServer {
  /** A host name or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether a connection without TLS is refused. */
  readonly isTls: boolean;
  /** What stood in its URL. */
  readonly credentials: NatsCredentials | undefined;
}

/** Files are read anew for each connection, so that a renewed one needs no restart. */
export type NatsCredentials =
  | { readonly kind: "password"; readonly user: string; readonly password: Secret }
  | { readonly kind: "token"; readonly token: Secret }
  | { readonly kind: "nkey"; readonly seedFile: string }
  | { readonly kind: "creds"; readonly credsFile: string };

/** Paths of PEM files; read anew for each connection. */
export interface NatsTls {
  /** The authorities that the server's certificate is checked against; undefined means those that Node knows. */
  readonly caFile: string | undefined;
  /** This replica's own certificate and key, for servers that want one. */
  readonly certificateFile: string | undefined;
  readonly privateKeyFile: string | undefined;
}
