/** The ways to write "this machine" or "the inner network" that have fooled checks of URLs. */
const HOSTS: readonly string[] = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "2130706433",
  "0x7f000001",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "017700000001",
  "0x7f.1",
  "127.0.0.1.",
  "0",
  "0.0.0.0",
  "127.127.127.127",
  "[::1]",
  "[::]",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[fe80::1]",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "localhost.localdomain",
  "ip6-localhost",
  "①②⑦.⓪.⓪.①",
  "127。0。0。1",
  "lоcalhost",
  "169.254.169.254",
  "[fd00:ec2::254]",
  "metadata.google.internal",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.0.1",
  "100.64.0.1",
];

/** `{h}` is the host, `{p}` the port of the sentinel. */
const FORMS: readonly string[] = [
  "https://{h}:{p}/x.png",
  "http://{h}:{p}/x.png",
  "https://user:password@{h}:{p}/x.png",
  "https://example.org@{h}:{p}/x.png",
  "https://{h}:{p}#@example.org/x.png",
  "https://{h}:{p}\\@example.org/x.png",
  "https://example.org\\@{h}:{p}/x.png",
  "//{h}:{p}/x.png",
  "https:{h}:{p}/x.png",
  "https:///{h}:{p}/x.png",
];

const OTHER_SCHEMES: readonly string[] = [
  "file:///etc/passwd",
  "ftp://127.0.0.1:{p}/x.png",
  "gopher://127.0.0.1:{p}/_x",
  "dict://127.0.0.1:{p}/x",
  "ws://127.0.0.1:{p}/",
  "unix:/var/run/docker.sock",
  "http+unix://%2Fvar%2Frun%2Fdocker.sock/x",
  "jar:http://127.0.0.1:{p}!/x.png",
  "data:text/html,x",
  "javascript:fetch('http://127.0.0.1:{p}/')",
  "blob:https://127.0.0.1:{p}/x",
  "about:blank",
  "https://127.0.0.1:{p}/x.png\r\nHost: other",
  "https://127.0.0.1:{p}/x.png\0.example.org",
  " https://127.0.0.1:{p}/x.png",
  "hTTpS://127.0.0.1:{p}/x.png",
  "https://127.0.0.1:{p}/?next=http://127.0.0.1:{p}/",
];

/** More than 300 URLs that try to make a server fetch from itself or its neighbours, at the sentinel's port where they can. */
export function listHostileUrls(sentinelPort: number): readonly string[] {
  const combined = FORMS.flatMap((form) => HOSTS.map((host) => form.replaceAll("{h}", host)));
  return [...combined, ...OTHER_SCHEMES].map((url) => url.replaceAll("{p}", `${sentinelPort}`));
}
