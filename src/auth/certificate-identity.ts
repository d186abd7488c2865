import type { Caller, Scope } from "../domain/caller.ts";
import { listSubjectNames } from "./subject-names.ts";

/** A name in client certificates, and who that is. */
export interface CertificateIdentity {
  /** `URI:spiffe://example.org/chat` or `DNS:chat.example.org`; the whole name, no patterns. */
  readonly subjectName: string;
  /** The tenant. */
  readonly name: string;
  /** Never empty. */
  readonly scopes: readonly Scope[];
}

/** What the transport proved: a certificate that the configured authorities signed and that is valid now. */
export interface ProvenCertificate {
  /** As Node writes it; undefined when the certificate has none. */
  readonly subjectAltName: string | undefined;
}

/** Finds callers by the names in their certificates. The common name counts for nothing (RFC 9525 2). */
export class CertificateIdentities {
  readonly #byName: ReadonlyMap<string, CertificateIdentity>;

  constructor(identities: readonly CertificateIdentity[]) {
    this.#byName = new Map(identities.map((identity) => [normalise(identity.subjectName), identity]));
  }

  /** The one caller that a certificate names; undefined when it names none, or two different ones. */
  find(certificate: ProvenCertificate): Caller | undefined {
    const found = listSubjectNames(certificate.subjectAltName).flatMap(
      (subjectName) => this.#byName.get(subjectName) ?? [],
    );
    const [first] = found;
    if (first === undefined || found.some((each) => each !== first)) return undefined;
    return { name: first.name, scopes: first.scopes, credential: normalise(first.subjectName) };
  }
}

/** Host names have no case (RFC 4343); SPIFFE ids are compared as they are. */
function normalise(subjectName: string): string {
  return subjectName.startsWith("DNS:") ? `DNS:${subjectName.slice(4).toLowerCase()}` : subjectName;
}
