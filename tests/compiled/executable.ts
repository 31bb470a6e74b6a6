import { ROOT } from "../../scripts/tool.ts";

/** What a run of the executable gave. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The executable under test: `INFRAHUB_BACKUP_BINARY`, else where `deno task compile` puts it. */
export const EXECUTABLE: string = Deno.env.get("INFRAHUB_BACKUP_BINARY") ||
  `${ROOT}dist/infrahub-backup`;

/** The same, compiled to start `cat` and no other program. */
export const LIMITED_EXECUTABLE = `${EXECUTABLE}-limited`;

/** The same, with a probe in it; see `probe.ts`. */
export const PROBE_EXECUTABLE = `${EXECUTABLE}-probe`;

/** Where and how the executable runs. */
export interface RunOptions {
  readonly cwd: string;
  /** All of its environment; none when left out. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default {EXECUTABLE} */
  readonly executable?: string;
}

/** Starts the executable with no environment but `env`, in another folder than the sources. */
export function start(
  args: readonly string[],
  options: RunOptions,
): Deno.ChildProcess {
  return new Deno.Command(Deno.realPathSync(options.executable ?? EXECUTABLE), {
    args: [...args],
    cwd: options.cwd,
    clearEnv: true,
    env: options.env ?? {},
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the executable to its end. */
export async function run(
  args: readonly string[],
  options: RunOptions,
): Promise<Result> {
  const { code, stdout, stderr } = await start(args, options).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A folder that is removed at the end. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await Deno.realPath(await Deno.makeTempDir({ prefix: "compiled-" })));
  }

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
