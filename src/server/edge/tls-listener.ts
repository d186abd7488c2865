import { readFile } from "node:fs/promises";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import type { TlsConfig } from "../../config/config.ts";

/** A TLS server whose certificates can be read again while it runs. */
export class TlsListener {
  readonly server: Server;
  readonly #config: TlsConfig;

  private constructor(server: Server, config: TlsConfig) {
    this.server = server;
    this.#config = config;
  }

  /**
   * Reads the certificates; a connection must finish its handshake within
   * `handshakeTimeoutMs`. Rejects when a file cannot be read or used.
   */
  static async create(config: TlsConfig, handshakeTimeoutMs: number): Promise<TlsListener> {
    const server = createServer({
      ...(await readCertificates(config)),
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: config.clientCaFile !== undefined,
      // Whether a caller needs a certificate is the admission's to say.
      rejectUnauthorized: false,
    });
    server.on("secureConnection", refuseUnknownCertificate);
    // After a handshake that fails or takes too long.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return new TlsListener(server, config);
  }

  /**
   * Reads the files again; connections from now on get the new certificates. Rejects, and
   * changes nothing, when a file cannot be read or used.
   */
  async reload(): Promise<void> {
    this.server.setSecureContext(await readCertificates(this.#config));
  }
}

async function readCertificates(config: TlsConfig): Promise<SecureContextOptions> {
  const [cert, key, ca] = await Promise.all([
    readFile(config.certificateFile),
    readFile(config.privateKeyFile),
    config.clientCaFile === undefined ? undefined : readFile(config.clientCaFile),
  ]);
  return { cert, key, ...(ca === undefined ? {} : { ca }) };
}

/** No certificate is a choice; one that nobody vouches for, or that is out of date, is a mistake to be told of. */
function refuseUnknownCertificate(socket: TLSSocket): void {
  if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) socket.destroy();
}
