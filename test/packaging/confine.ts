import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** How far this machine can imitate a container with a read-only file system and a user of its own. */
export interface Confinement {
  /** What it does, for the output of the tests. */
  readonly description: string;
  /** Whether nothing at all can be written. */
  readonly isReadOnly: boolean;
  /** Stands before a command. Each part replaces itself by the next: the process id is the program's. */
  readonly prefix: readonly string[];
}

const REMOUNT =
  'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && mount -o remount,ro,bind / && shift';

/** Finds the strongest confinement that works here for programs in `folder`. */
export async function findConfinement(folder: string, uid: number, gid: number): Promise<Confinement> {
  const become = `setpriv --reuid=${uid} --regid=${gid} --clear-groups --no-new-privs --`;
  const candidates: readonly Confinement[] = [
    {
      description: `a read-only file system, as user ${uid}`,
      isReadOnly: true,
      prefix: ["unshare", "--mount", "sh", "-c", `${REMOUNT} && exec ${become} "$@"`, "sh", folder],
    },
    {
      description: "a read-only file system, as the user of the tests",
      isReadOnly: true,
      prefix: [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        `${REMOUNT} && exec "$@"`,
        "sh",
        folder,
      ],
    },
  ];
  for (const candidate of candidates) {
    const [program = "", ...rest] = candidate.prefix;
    const works = await promisify(execFile)(program, [...rest, process.execPath, "--version"]).then(
      () => true,
      () => false,
    );
    if (works) return candidate;
  }
  return { description: "no confinement, because unshare does not work here", isReadOnly: false, prefix: [] };
}
