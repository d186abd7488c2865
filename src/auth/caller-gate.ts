import type { Caller, Scope } from "../domain/caller.ts";
import type { RouteError } from "../domain/errors.ts";
import type { AccessRule } from "./access-rule.ts";
import { readBearer } from "./bearer.ts";
import type { CertificateIdentities, ProvenCertificate } from "./certificate-identity.ts";
import type { KeyStore } from "./key-store.ts";
import { findMethodRule, type MethodDescriptor } from "./method-access.ts";
import { findPathRule } from "./path-access.ts";

/** What a decision rests on: all of it is known before a byte of the body is read. */
export interface GateRequest {
  /** The `authorization` header. */
  readonly authorization: string | undefined;
  /** The client certificate, where the transport proved one. */
  readonly certificate: ProvenCertificate | undefined;
  /** The method that was dispatched, or the path of a door. */
  readonly target: MethodDescriptor | { readonly path: string };
}

/** Whether a request may go on. */
export type GateAnswer =
  | {
      readonly ok: true;
      /** Undefined where the method is open to anyone. */
      readonly caller: Caller | undefined;
    }
  | {
      readonly ok: false;
      readonly error: RouteError;
      /** For logs only. */
      readonly why: string;
      /** Who it was, where that is known. */
      readonly caller: Caller | undefined;
    };

/** What a gate decides by. */
export interface GateParts {
  /** Undefined where no keys are configured. */
  readonly keys: KeyStore | undefined;
  readonly identities: CertificateIdentities;
  /** Whether reflection is open to anyone; otherwise it needs `models.read`. */
  readonly isReflectionOpen: boolean;
  /** Whether the page `/metrics` is open to anyone; otherwise it needs `metrics`. */
  readonly isMetricsPageOpen: boolean;
}

type Proof = { readonly caller: Caller } | { readonly why: string };

/** Asks each request who sends it and whether they may. Deny by default. */
export class CallerGate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Decides. Never throws and never waits. */
  admit(request: GateRequest): GateAnswer {
    const { target } = request;
    const rule = this.#settleRule("path" in target ? findPathRule(target.path) : findMethodRule(target));
    if (rule === "open") return { ok: true, caller: undefined };
    const proof = this.#identify(request);
    if ("why" in proof) return refuseUnknown(proof.why);
    const { caller } = proof;
    if (rule !== undefined && caller.scopes.includes(rule)) return { ok: true, caller };
    return refuseCaller(caller, rule);
  }

  #settleRule(rule: AccessRule | undefined): Scope | "open" | undefined {
    if (rule === "reflection") return this.#parts.isReflectionOpen ? "open" : "models.read";
    if (rule === "metrics page") return this.#parts.isMetricsPageOpen ? "open" : "metrics";
    return rule;
  }

  /** A key wins over a certificate, and a bad key is not mended by a good certificate: the caller meant the key. */
  #identify({ authorization, certificate }: GateRequest): Proof {
    const { keys, identities } = this.#parts;
    const bearer = readBearer(authorization);
    if (bearer.kind === "unusable") return { why: "the authorization header is no bearer token" };
    if (bearer.kind === "token") {
      if (keys === undefined) return { why: "a key was sent and none are configured" };
      const check = keys.check(bearer.token);
      if (check.ok) return check;
      return { why: check.keyId === undefined ? `key ${check.why}` : `key ${check.keyId}: ${check.why}` };
    }
    if (certificate === undefined) return { why: "no credential" };
    const caller = identities.find(certificate);
    return caller === undefined ? { why: "the certificate names no one caller" } : { caller };
  }
}

/** One text for every failure, so that it tells nothing about keys. */
function refuseUnknown(why: string): GateAnswer {
  return {
    ok: false,
    error: {
      reason: "UNAUTHENTICATED",
      message: "a valid credential is needed: send `authorization: Bearer` with a key of this server",
    },
    why,
    caller: undefined,
  };
}

function refuseCaller(caller: Caller, scope: string | undefined): GateAnswer {
  const [why, message] =
    scope === undefined
      ? ["no rule", "no scope gives access to this"]
      : [`lacks the scope ${scope}`, `this needs the scope ${scope}`];
  return {
    ok: false,
    error: { reason: "PERMISSION_DENIED", message, ...(scope === undefined ? {} : { metadata: { scope } }) },
    why,
    caller,
  };
}
