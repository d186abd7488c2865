#!/usr/bin/env node
/**
 * Starts Sluice. Plain JavaScript that Node 20 understands too, because its first
 * task is to find a Node that can run the rest: 22.19 is the first of its line
 * that runs TypeScript files as they are, 23.6 of the next.
 */

import { spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import nodeModule from "node:module";
import { constants as osConstants } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** sysexits.h EX_UNAVAILABLE: this machine lacks something. */
const EXIT_UNAVAILABLE = 69;

const HERE = dirname(fileURLToPath(import.meta.url));

if (isNewEnough(process.versions.node)) await load();
else runWithNewerNode();

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  if (major === 22) return minor >= 19;
  if (major === 23) return minor >= 6;
  return major > 23;
}

/** Loads the sources where there are any, else what was compiled from them. */
async function load() {
  const root = dirname(HERE);
  const source = join(root, "src", "cli", "main.ts");
  // Node refuses to strip types from packages.
  const isPackage = HERE.split(sep).includes("node_modules");
  const compiled = join(root, "dist", "src", "cli", "main.js");
  const file = existsSync(source) && !isPackage ? source : compiled;
  if (!existsSync(file)) {
    give(`there is neither ${source} nor ${compiled}. Install the package again, or run \`npm run build\`.`);
    return;
  }
  // What Node compiled is kept for the next start, beside the files it came from; where nothing can be
  // written, nothing is.
  if (process.env.NODE_COMPILE_CACHE === undefined) {
    nodeModule.enableCompileCache?.(join(root, ".cache", "compiled"));
  }
  const { main } = await import(pathToFileURL(file).href);
  await main();
}

function runWithNewerNode() {
  const node = findNode();
  if (node === undefined) {
    give(
      `Node ${process.versions.node} is too old; 22.19 or newer is needed. Install Node 24, or run \`npm ci\` without --omit=optional, which brings one for Linux.`,
    );
    return;
  }
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  // Taking this process's place leaves no second one to forward signals to (Node 22.15).
  if (typeof process.execve === "function") process.execve(node, [node, ...args], process.env);
  const child = spawn(node, args, { stdio: "inherit" });
  const stopForwarding = forwardSignals(child);
  child.on("error", (error) => {
    stopForwarding();
    give(`${node} cannot be started: ${error.message}`);
  });
  child.on("exit", (code, signal) => {
    stopForwarding();
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    // Ends the way the child ended, so that a shell sees the same; the exit code is for signals that are ignored.
    process.exitCode = 128 + osConstants.signals[signal];
    process.kill(process.pid, signal);
  });
}

/** The Node of the optional npm package, from our place upwards as Node itself would look. */
function findNode() {
  const name = `node-${process.platform}-${process.arch}`;
  for (let folder = HERE; ; folder = dirname(folder)) {
    const node = join(folder, "node_modules", name, "bin", "node");
    if (isExecutable(node)) return node;
    if (folder === dirname(folder)) return undefined;
  }
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Passes signals on to the child; returns what undoes it. */
function forwardSignals(child) {
  // A terminal sends Ctrl-C to both of us: forwarding it would count twice.
  const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const undo = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR2"].map((signal) => {
    const isFromTerminal = isOnTerminal && (signal === "SIGINT" || signal === "SIGQUIT");
    const listener = () => {
      if (!isFromTerminal) child.kill(signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const fn of undo) fn();
  };
}

function give(message) {
  process.stderr.write(`sluice: ${message}\n`);
  process.exitCode = EXIT_UNAVAILABLE;
}
