/**
 * The processes of this machine, those in containers included.
 *
 * @module
 */

/** A process, as it was for a moment. */
export interface Process {
  readonly pid: number;
  /** Its command line; empty for one that has ended and not been waited for. */
  readonly argv: readonly string[];
  /** Name of its program, of which the kernel keeps 15 characters. */
  readonly program: string;
  /** The kernel's letter: `T` is one that a signal has stopped. */
  readonly state: string;
  /** Id of the container that it is in; undefined for one of the host. */
  readonly container: string | undefined;
  /** Whether it is the first process of its container, which ends with it. */
  readonly isInit: boolean;
}

/** All processes. Root sees them all. */
export async function listProcesses(): Promise<Process[]> {
  const found: Process[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const process = await readProcess(Number(name));
    if (process !== undefined) found.push(process);
  }
  return found;
}

async function readProcess(pid: number): Promise<Process | undefined> {
  try {
    const [commandLine, stat, groups, status] = await Promise.all(
      ["cmdline", "stat", "cgroup", "status"].map((file) =>
        Deno.readTextFile(`/proc/${pid}/${file}`)
      ),
    );
    // "PID (NAME) STATE …", and the name may hold anything.
    const [, program = "", state = ""] = /\((.*)\) (\S)/s.exec(stat ?? "") ?? [];
    return {
      pid,
      argv: (commandLine ?? "").split("\0").slice(0, -1),
      program,
      state,
      container: /docker[/-]([0-9a-f]{64})/.exec(groups ?? "")?.[1],
      // Its ids in the namespaces that it is in, the innermost last.
      isInit: /^NSpid:.*\t1$/m.test(status ?? ""),
    };
  } catch (error) {
    // It has ended meanwhile: NotFound, or ESRCH, which Deno has no class for.
    if (error instanceof Deno.errors.NotFound || isNoSuchProcess(error)) return undefined;
    throw error;
  }
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && error.message.includes("No such process");
}
