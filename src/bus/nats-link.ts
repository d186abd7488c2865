/** One connection to one NATS server, from its greeting to its end. The only file that imports nats. */

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  DebugEvents,
  ErrorCode,
  Events,
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  nkeyAuthenticator,
  type Status,
} from "nats";
import type {
  NatsConfig,
  NatsCredentials,
  NatsEncoding,
  NatsServer,
  NatsTls,
} from "../config/nats-config.ts";
import type { BusMessage } from "../domain/health-bus.ts";
import type { Cleanup } from "../domain/ports.ts";
import { JsonMessage } from "./json-message.ts";
import type { PayloadCodec } from "./payload-codec.ts";
import type { Probed } from "./probe-server.ts";

/** The full name of the protobuf message in the payload. */
const TYPE_HEADER = "Sluice-Message";
const CONTENT_TYPES: Readonly<Record<NatsEncoding, string>> = {
  protobuf: "application/protobuf",
  json: "application/json",
};

/**
 * Bytes that may be on their way without the server having answered a PING sent after them. The package
 * queues without bound when a server stops reading, so this is the bound.
 */
const MAX_UNANSWERED_BYTES = 2 ** 20;
/** From here on the server is asked whether it has them. */
const ASK_AFTER_BYTES = 64 * 2 ** 10;
/** What a message takes besides payload and subject: protocol line and headers. */
const OVERHEAD_BYTES = 192;

/** How long the server may take to be reached and to take our credentials. */
const CONNECT_TIMEOUT_MS = 3_000;

/** A server that leaves so many pings unanswered counts as silent. */
const SILENT_PING_COUNT = 2;

/** A subject to send to: tokens without wildcards; the package itself checks nothing. */
const SUBJECT = /^(?:(?![*>](?:\.|$))[\x21-\x2d\x2f-\x7e]+)(?:\.(?![*>](?:\.|$))[\x21-\x2d\x2f-\x7e]+)*$/;

/** A configuration whose replica has its name. */
export type NatsSettings = NatsConfig & { readonly replicaId: string };

/** What became of a message that was to be sent. */
export type Sending = "sent" | "full" | "unsendable";

/** Where a message goes. */
export interface Destination {
  readonly to: string;
  readonly wantedAt?: string;
}

/** Why there is no connection: waiting helps against `unreachable`, and only somebody's hand against `refused`. */
export interface LinkFailure {
  readonly kind: "refused" | "unreachable";
  readonly why: string;
}

/** What a connection tells while it lasts. */
export interface LinkEvents {
  /** The server refuses to let us send to, or hear, a subject. */
  onForbidden(operation: string, subject: string): void;
  /** The server is about to stop. */
  onLameDuck(): void;
  /** Told with each ping: whether the server has left the last two unanswered. */
  onPulse(isSilent: boolean): void;
}

/** How often the server is pinged, and how many pings may stay unanswered. */
export interface PingSettings {
  readonly intervalMs: number;
  readonly maxUnanswered: number;
}

/** A message as it arrived. */
export interface RawMessage {
  readonly bytes: number;
  /** Where an answer goes; undefined when none is wanted. */
  readonly replyTo: string | undefined;
  readonly subject: string;
  /** Copies it out of the network's buffer, with another subject; undefined when it does not say what it is. */
  read(subject: string): BusMessage | undefined;
}

/** What one connection is made with. */
export interface LinkParts {
  readonly server: NatsServer;
  readonly probed: Probed;
  readonly ping: PingSettings;
  /** Undefined leaves payloads as they are. */
  readonly codec: PayloadCodec | undefined;
}

/** Connects to a server that was seen to greet. Never rejects. */
export async function openLink(
  { server, probed, ping, codec }: LinkParts,
  settings: NatsSettings,
  events: LinkEvents,
): Promise<NatsLink | LinkFailure> {
  try {
    const connection = await connect({
      servers: probed.address.includes(":")
        ? `[${probed.address}]:${probed.port}`
        : `${probed.address}:${probed.port}`,
      name: `sluice ${settings.replicaId}`,
      // One connection a client: the package's own reconnecting gives up after two refusals, keeps
      // sockets of timed-out attempts, and waits for what a frozen server will not take.
      reconnect: false,
      resolve: false,
      ignoreClusterUpdates: true,
      noEcho: true,
      noAsyncTraces: true,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: ping.intervalMs,
      maxPingOut: ping.maxUnanswered,
      ...(await readCredentials(server.credentials ?? settings.credentials)),
      ...chooseTls(server, settings.tls),
    });
    return new NatsLink(connection, settings.encoding, codec, events);
  } catch (error) {
    return describeFailure(error);
  }
}

/** A connection that was made. It ends once and does not come back. */
export class NatsLink {
  readonly kind = "open";
  /** Resolves with the reason when the connection is over; never rejects. */
  readonly ended: Promise<LinkFailure>;
  readonly #connection: NatsConnection;
  readonly #encoding: NatsEncoding;
  readonly #codec: PayloadCodec | undefined;
  readonly #end: (failure: LinkFailure) => void;
  #unansweredBytes = 0;
  #isAsking = false;

  constructor(
    connection: NatsConnection,
    encoding: NatsEncoding,
    codec: PayloadCodec | undefined,
    events: LinkEvents,
  ) {
    this.#connection = connection;
    this.#encoding = encoding;
    this.#codec = codec;
    const { promise, resolve } = Promise.withResolvers<LinkFailure>();
    this.ended = promise;
    this.#end = resolve;
    void connection.closed().then((error) => resolve(describeFailure(error ?? undefined)));
    void this.#watch(events);
  }

  /** What the server says it is, for the log. */
  get serverVersion(): string {
    return this.#connection.info?.version ?? "unknown";
  }

  /** The longest message that the server takes. */
  get maxPayloadBytes(): number {
    return this.#connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
  }

  /** What may still be on its way. */
  get unansweredBytes(): number {
    return this.#unansweredBytes;
  }

  /** Sends a message `to` a subject, which need not be its own; answers are wanted at `wantedAt`. */
  send(message: BusMessage, { to: subject, wantedAt }: Destination): Sending {
    const isJson = this.#encoding === "json" && this.#codec !== undefined;
    const payload = isJson ? this.#codec?.toJson(message.type, message.payload) : message.payload;
    if (payload === undefined) return "unsendable";
    const bytes = payload.length + subject.length + OVERHEAD_BYTES;
    if (this.#unansweredBytes + bytes > MAX_UNANSWERED_BYTES) return "full";
    if (!SUBJECT.test(subject)) return "unsendable";
    try {
      this.#connection.publish(subject, payload, {
        headers: this.#makeHeaders(message),
        ...(wantedAt !== undefined && { reply: wantedAt }),
      });
    } catch {
      // Above the server's max_payload, a header that cannot be, or closed a moment ago.
      return "unsendable";
    }
    this.#unansweredBytes += bytes;
    if (this.#unansweredBytes >= ASK_AFTER_BYTES) this.#askForAnswer();
    return "sent";
  }

  listen(subject: string, onMessage: (message: RawMessage) => void): Cleanup {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null && !isNobodyThere(message)) onMessage(wrap(message, this.#codec));
      },
    });
    return () => {
      if (!subscription.isClosed()) subscription.unsubscribe();
    };
  }

  /** Resolves when the server has all that was sent; never on a server that answers nothing. */
  async flush(): Promise<void> {
    await this.#connection.flush().catch(() => {});
  }

  /** Lets go at once. */
  close(): void {
    this.#end({ kind: "unreachable", why: "closed by Sluice" });
    void this.#connection.close().catch(() => {});
  }

  #makeHeaders({ type, traceparent }: BusMessage): MsgHdrs {
    const made = headers();
    made.set(TYPE_HEADER, type);
    made.set("Content-Type", CONTENT_TYPES[this.#encoding]);
    if (traceparent !== undefined) made.set("traceparent", traceparent);
    return made;
  }

  #askForAnswer(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const covered = this.#unansweredBytes;
    const onAnswer = () => {
      this.#isAsking = false;
      this.#unansweredBytes -= covered;
      if (this.#unansweredBytes >= ASK_AFTER_BYTES) this.#askForAnswer();
    };
    // A rejection means that the connection is over, and all that was counted with it.
    this.#connection.flush().then(onAnswer, () => {});
  }

  async #watch(events: LinkEvents): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === Events.LDM) events.onLameDuck();
      // Its number counts the ping that goes out now.
      if (status.type === DebugEvents.PingTimer) events.onPulse(Number(status.data) > SILENT_PING_COUNT);
      if (status.type === DebugEvents.StaleConnection) {
        // The package would now wait for a frozen server to take what is still queued.
        this.#end({ kind: "unreachable", why: "the server answers no pings" });
        this.close();
      }
      const forbidden = readForbidden(status);
      if (forbidden !== undefined) events.onForbidden(forbidden.operation, forbidden.subject);
    }
  }
}

function readForbidden(status: Status): Status["permissionContext"] {
  return status.type === Events.Error ? status.permissionContext : undefined;
}

/** The server's own word that nobody listens to a question. */
function isNobodyThere({ data, headers }: Msg): boolean {
  return data.length === 0 && headers?.code === 503;
}

function wrap(message: Msg, codec: PayloadCodec | undefined): RawMessage {
  return {
    bytes: message.data.length + message.subject.length + OVERHEAD_BYTES,
    replyTo: message.reply || undefined,
    subject: message.subject,
    read(subject) {
      const type = message.headers?.get(TYPE_HEADER) ?? "";
      if (type === "") return undefined;
      const traceparent = message.headers?.get("traceparent") ?? "";
      const isJson = codec !== undefined && message.headers?.get("Content-Type") === CONTENT_TYPES.json;
      const payload = message.data.slice();
      const read = { subject, type, payload, ...(traceparent === "" ? {} : { traceparent }) };
      return isJson ? new JsonMessage(read, codec) : read;
    },
  };
}

async function readCredentials(credentials: NatsCredentials | undefined): Promise<ConnectionOptions> {
  switch (credentials?.kind) {
    case undefined:
      return {};
    case "password":
      return { user: credentials.user, pass: credentials.password.reveal() };
    case "token":
      return { token: credentials.token.reveal() };
    case "nkey": {
      const seed = (await readSecretFile(credentials.seedFile, "the nkey seed file")).trim();
      return { authenticator: guard(nkeyAuthenticator(new TextEncoder().encode(seed))) };
    }
    case "creds": {
      const text = await readSecretFile(credentials.credsFile, "the credentials file");
      // The package finds its parts by line ends of one kind only.
      const creds = new TextEncoder().encode(text.replaceAll("\r\n", "\n"));
      return { authenticator: guard(credsAuthenticator(creds)) };
    }
  }
}

/** What goes wrong while signing must say so without the words of whoever parsed the secret. */
function guard(authenticate: Authenticator): Authenticator {
  return (nonce) => {
    try {
      return authenticate(nonce);
    } catch {
      throw new UnusableCredentials("the file of the credentials holds none that can be used");
    }
  };
}

async function readSecretFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UnusableCredentials(`${what} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

class UnusableCredentials extends Error {}

function chooseTls(server: NatsServer, tls: NatsTls | undefined): ConnectionOptions {
  if (tls === undefined && !server.isTls) return {};
  const { caFile, certificateFile, privateKeyFile } = tls ?? {};
  return {
    tls: {
      ...(caFile !== undefined && { caFile }),
      ...(certificateFile !== undefined && { certFile: certificateFile }),
      ...(privateKeyFile !== undefined && { keyFile: privateKeyFile }),
      // The package dials an address, so it must be told whose certificate to expect; what it does not
      // know it hands to Node's tls.connect.
      ...(isIP(server.host) === 0 ? { servername: server.host } : { host: server.host }),
    } as ConnectionOptions["tls"] & object,
  };
}

const REFUSALS: Readonly<Partial<Record<string, string>>> = {
  [ErrorCode.AuthorizationViolation]: "the server refuses the credentials",
  [ErrorCode.BadAuthentication]: "the server refuses the credentials",
  [ErrorCode.AuthenticationExpired]: "the credentials have expired",
  [ErrorCode.AccountExpired]: "the account has expired",
  [ErrorCode.AuthenticationTimeout]: "the server waited for credentials in vain",
  [ErrorCode.BadCreds]: "the file of the credentials holds none that can be used",
  [ErrorCode.ServerOptionNotAvailable]: "the server does not speak TLS",
};

/** In our own words where they are known; a package's text may hold what it was given. */
function describeFailure(error: unknown): LinkFailure {
  if (error instanceof UnusableCredentials) return { kind: "refused", why: error.message };
  if (error instanceof NatsError) {
    const refusal = REFUSALS[error.code];
    if (refusal !== undefined) return { kind: "refused", why: refusal };
    if (error.code === ErrorCode.ProtocolError) {
      return { kind: "unreachable", why: `the server says ${printable(error.message)}` };
    }
    if (error.code === ErrorCode.Tls) return { kind: "refused", why: `TLS: ${printable(error.message)}` };
    return { kind: "unreachable", why: error.code };
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === undefined) return { kind: "unreachable", why: "the server hung up" };
  return /^(?:ERR_(?:TLS|SSL|OSSL)|CERT_|DEPTH_|SELF_|UNABLE_)/.test(code)
    ? { kind: "refused", why: `TLS: ${code}` }
    : { kind: "unreachable", why: code };
}

/** A server's own words, cut to what a log line bears. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "").slice(0, 100);
}
