import { ToolError } from "../errors/mod.ts";

/** A name in a directory cannot be told, so that what has it would be left out. */
export class UnreadableNameError extends ToolError {}

/** What the runtime puts where a name is not UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * The names in a directory, sorted by code unit.
 *
 * A file name is any bytes; the runtime knows names that are UTF-8. Newer versions of it show another
 * name in a readable spelling under which nothing can be opened, older ones leave it out: see
 * {@linkcode requireReadableNames}.
 *
 * @throws {UnreadableNameError} for a name that is not UTF-8
 */
export async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    if (name.includes(REPLACEMENT)) throw unreadable(directory, name);
    names.push(name);
  }
  return names.sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}

/**
 * Looks for names below a directory that the runtime does not show at all: `find` prints them as they
 * are. Where `find` is missing, or may not be started, only the runtime's own view counts.
 *
 * @throws {UnreadableNameError} for a name that is not UTF-8
 */
export async function requireReadableNames(directory: string, signal?: AbortSignal): Promise<void> {
  let output: Uint8Array;
  try {
    ({ stdout: output } = await new Deno.Command("find", {
      args: [directory, "-print0"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      ...(signal === undefined ? {} : { signal }),
    }).output());
  } catch {
    // No such program, or no right to start one: nobody else can be asked.
    signal?.throwIfAborted();
    return;
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(output);
  } catch {
    const readable = new TextDecoder().decode(output).split("\0");
    throw unreadable(directory, readable.find((name) => name.includes(REPLACEMENT)) ?? "");
  }
}

function unreadable(directory: string, name: string): UnreadableNameError {
  return new UnreadableNameError(
    `${directory}: the name ${JSON.stringify(name)} is not UTF-8, so that it cannot be stored: ` +
      "rename the file",
  );
}
