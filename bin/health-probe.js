#!/usr/bin/env node
/**
 * Asks a Sluice on this machine whether it is ready, for a container's health check.
 * `node health-probe.js [TIMEOUT_MS]` asks `/readyz` of SLUICE_ADMIN_ADDRESS (default
 * 127.0.0.1:9464) and ends with 0 when the answer is 200, else with 1 and one line on
 * standard error that says why.
 * Plain JavaScript without packages: it starts every few seconds, so it must start fast.
 */

import { get } from "node:http";

const DEFAULT_ADDRESS = "127.0.0.1:9464";
/** Less than the time that the image's HEALTHCHECK gives. */
const DEFAULT_TIMEOUT_MS = 2_000;

const address = process.env.SLUICE_ADMIN_ADDRESS || DEFAULT_ADDRESS;
const timeoutMs = Number(process.argv[2] ?? DEFAULT_TIMEOUT_MS);
const target = parseAddress(address);

if (!(timeoutMs > 0)) fail(`the time limit must be a number of milliseconds above 0`);
else if (target === undefined)
  fail(`SLUICE_ADMIN_ADDRESS must be HOST:PORT, for example ${DEFAULT_ADDRESS}; it is "${address}"`);
else probe(target);

/** Host and port to ask, or undefined; who listens on all addresses is asked on loopback. */
function parseAddress(text) {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) return undefined;
  const host = bracketed ?? plain;
  const local = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return { host: local[host] ?? host, port: Number(port) };
}

function probe({ host, port }) {
  const request = get({ host, port, path: "/readyz", agent: false }, (response) => {
    response.resume();
    if (response.statusCode !== 200) fail(`${address} answered ${response.statusCode} to /readyz`);
    finish();
  });
  const timer = setTimeout(() => {
    fail(`${address} did not answer within ${timeoutMs} ms`);
    finish();
  }, timeoutMs);
  request.on("error", (error) => {
    fail(`${address} cannot be asked: ${error.message}`);
    finish();
  });

  /** The verdict stands; whatever else the other side does must not hold the process up or crash it. */
  function finish() {
    clearTimeout(timer);
    request.removeAllListeners("error");
    request.on("error", () => {});
    request.destroy();
  }
}

function fail(message) {
  process.stderr.write(`health-probe: ${message}\n`);
  process.exitCode = 1;
}
