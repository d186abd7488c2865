import type { Caller } from "../../domain/caller.ts";
import type { RouteError } from "../../domain/errors.ts";

/** What is known of a request before a byte of its body is read. */
export interface EdgeRequest {
  /** The `authorization` header. */
  readonly authorization: string | undefined;
  /** The client's certificate, where the listener asked for one and an accepted authority signed it. */
  readonly certificate: PeerCertificate | undefined;
  /** The method that was dispatched, or the path of a door without its query; never a URL made of what the caller wrote. */
  readonly target:
    | { readonly name: string; readonly parent: { readonly typeName: string } }
    | { readonly path: string };
}

/** The part of a client's certificate that can name it. */
export interface PeerCertificate {
  /** As Node writes it, for example `DNS:a.example, URI:spiffe://example/b`; undefined when it has none. */
  readonly subjectAltName: string | undefined;
}

/** Whether a request may go on. */
export type AdmissionAnswer =
  | {
      readonly ok: true;
      /** Undefined where nobody asked who calls. */
      readonly caller: Caller | undefined;
    }
  | {
      readonly ok: false;
      /** What the caller is told, in its own protocol. */
      readonly error: RouteError;
      /** For the log only. */
      readonly why: string;
      /** Who it was, where that is known. */
      readonly caller: Caller | undefined;
    };

/** Decides who may call what. Asked once per request, after its method is known and before its body. */
export interface Admission {
  /** Never throws and never waits. */
  admit(request: EdgeRequest): AdmissionAnswer;
}

/** Admits everyone, as nobody. */
export const openAdmission: Admission = { admit: () => ({ ok: true, caller: undefined }) };
