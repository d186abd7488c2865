import type { Socket } from "node:net";

/** The remote address and port of a socket, as `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function formatPeer(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined) return "unknown";
  return formatAddress(remoteAddress, remotePort ?? 0);
}

/** Host and port in the form that URLs use. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
