import { findTool } from "../../scripts/tool.ts";

/**
 * Makes a command of the tool's name that runs the tool, wherever it is copied to.
 *
 * @param variables names of those that it hands on; all others are the tool's own
 */
export async function makeShim(path: string, variables: readonly string[] = []): Promise<void> {
  const { argv, env } = findTool();
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const own = Object.entries(env).filter(([name]) => !variables.includes(name))
    .map(([name, value]) => quote(`${name}=${value}`));
  const handedOn = variables.map((name) => `"${name}=$${name}"`);
  const words = ["exec", "env", "-i", ...own, ...handedOn, ...argv.map(quote), '"$@"'];
  await Deno.writeTextFile(path, `#!/bin/sh\n${words.join(" ")}\n`, { mode: 0o755 });
}
