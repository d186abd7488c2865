/** How the program ends. The numbers follow sysexits.h where it has one; 130 is 128 + SIGINT. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "Done." },
  failure: { code: 1, meaning: "The call failed, and the same call would fail again." },
  usage: { code: 2, meaning: "The command line is wrong." },
  unreachable: { code: 69, meaning: "The server cannot be reached, or this machine cannot run Sluice." },
  bug: { code: 70, meaning: "A bug in Sluice; please report it." },
  tryAgain: { code: 75, meaning: "The call failed for now; a later try may succeed." },
  badConfig: { code: 78, meaning: "The configuration is wrong." },
  interrupted: { code: 130, meaning: "Interrupted with Ctrl-C; the call was cancelled." },
} as const satisfies Record<string, ExitCodeRow>;

interface ExitCodeRow {
  readonly code: number;
  /** A sentence for --help and docs/cli.md. */
  readonly meaning: string;
}

/** The name of an exit code. */
export type ExitName = keyof typeof EXIT_CODES;

/** The number that the operating system gets to see. */
export function exitCode(name: ExitName): number {
  return EXIT_CODES[name].code;
}
