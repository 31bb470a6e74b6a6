/** How the scripts that make test beds run programs, and keep what they have made. */

/** The test bed cannot be had or has failed; the message says what and what to do. */
export class StackError extends Error {
  override readonly name = "StackError";
}

/** Settings of {@linkcode run}. */
export interface RunOptions {
  readonly cwd?: string;
  /** Further environment variables. */
  readonly env?: Record<string, string>;
  /** A file that stdout is written to; returned as text when left out. */
  readonly stdoutFile?: string;
}

/** Tells a person what goes on. */
export function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`e2e: ${text}\n`));
}

function tail(text: string, lines = 12): string {
  return text.trim().split("\n").slice(-lines).join("\n");
}

/**
 * Runs a program to its end and returns its stdout.
 *
 * @throws {StackError} when it is missing or exits non-zero; with the end of its output.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { stdoutFile, ...rest } = options;
  let output: { code: number; stdout: string; stderr: string };
  try {
    const child = new Deno.Command(program, {
      args: [...args],
      ...rest,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const drain = async (): Promise<string> => {
      if (stdoutFile === undefined) return await new Response(child.stdout).text();
      const file = await Deno.open(stdoutFile, { create: true, write: true, truncate: true });
      await child.stdout.pipeTo(file.writable);
      return "";
    };
    const [stdout, stderr, status] = await Promise.all([
      drain(),
      new Response(child.stderr).text(),
      child.status,
    ]);
    output = { code: status.code, stdout, stderr };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new StackError(`Cannot run "${program}": it is not on PATH`, { cause: error });
  }
  if (output.code === 0) return output.stdout;
  throw new StackError(
    `"${program} ${args.join(" ")}" exited ${output.code}:\n${
      tail(`${output.stdout}\n${output.stderr}`)
    }`,
  );
}

/** Whether a program is on PATH. */
export async function isOnPath(program: string): Promise<boolean> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    if (folder !== "" && await exists(`${folder}/${program}`)) return true;
  }
  return false;
}

/** Whether a path exists. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Makes a file or folder once: `make` writes it under a temporary name in the same folder, and it
 * gets its own name when it is complete.
 *
 * @returns `target`
 */
export async function makeOnce(
  target: string,
  make: (temporary: string) => Promise<void>,
): Promise<string> {
  if (await exists(target)) return target;
  const temporary = `${target}.part-${crypto.randomUUID().slice(0, 8)}`;
  try {
    await make(temporary);
    await Deno.rename(temporary, target);
  } catch (error) {
    if (await exists(temporary)) await Deno.remove(temporary, { recursive: true });
    throw error;
  }
  return target;
}

/** In a folder of {@linkcode makeInPlace}: it is complete. */
const COMPLETE = ".complete";

/**
 * Makes a folder once that cannot be renamed, such as a Python environment, whose programs name it:
 * `make` fills it where it stays, and it is marked when it is complete. What is found without the
 * mark was left by a run that has been ended, and is made anew. Two runs must not do so at once.
 *
 * @returns `folder`
 */
export async function makeInPlace(folder: string, make: () => Promise<void>): Promise<string> {
  if (await exists(`${folder}/${COMPLETE}`)) return folder;
  if (await exists(folder)) await Deno.remove(folder, { recursive: true });
  await make();
  await Deno.writeTextFile(`${folder}/${COMPLETE}`, "");
  return folder;
}
