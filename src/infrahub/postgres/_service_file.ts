import { problemOf } from "../../errors/mod.ts";
import { InvalidInputError } from "../errors.ts";

/**
 * Reads a section of libpq's service file, where each line is `keyword=value`.
 *
 * @param paths where the file may be; the first that exists counts
 * @throws {InvalidInputError} when there is no such file or section, or it cannot be honoured; no
 * value is shown
 */
export async function readService(
  name: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  for (const path of paths) {
    let content: string;
    try {
      content = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new InvalidInputError(`the service file ${path} cannot be read: ${problemOf(error)}`);
    }
    const section = readSection(content, name, path);
    if (section !== undefined) return section;
  }
  throw new InvalidInputError(
    `the service ${name} is in no service file (looked at ${paths.join(", ") || "none"}); ` +
      "PGSERVICEFILE names another one",
  );
}

function readSection(
  content: string,
  name: string,
  path: string,
): Map<string, string> | undefined {
  let found: Map<string, string> | undefined;
  for (const [index, raw] of content.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (found !== undefined) return found;
      if (line === `[${name}]`) found = new Map();
      continue;
    }
    if (found === undefined) continue;
    const at = line.indexOf("=");
    const keyword = line.slice(0, at);
    // libpq asks a directory for lines that begin so, and refuses services inside services.
    if (at < 1 || keyword === "service" || line.startsWith("ldap")) {
      throw new InvalidInputError(
        `line ${index + 1} of the service file ${path} cannot be honoured`,
      );
    }
    // As libpq: the first of several counts.
    if (!found.has(keyword)) found.set(keyword, line.slice(at + 1));
  }
  return found;
}
