import { TLSSocket } from "node:tls";
import type { PeerCertificate } from "./admission.ts";
import type { NodeRequest } from "./wire.ts";

/**
 * The certificate of whoever sent a request, if an accepted authority signed it. One
 * that nobody vouches for counts as none, and so does one that has expired since: connections, and TLS sessions that
 * are taken up again, live longer than the handshake in which it was looked at.
 */
export function readPeerCertificate(request: NodeRequest, wallMs: number): PeerCertificate | undefined {
  // HTTP/2 requests have a stand-in for the socket, which does not let everything through.
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined || wallMs > certificate.validToDate.getTime()) return undefined;
  return { subjectAltName: certificate.subjectAltName };
}
