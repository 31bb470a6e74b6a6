/** What people see: the program on a terminal, which script(1) of Debian's bsdutils makes. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { findTool } from "../../scripts/tool.ts";

/** Stands for the control character that begins what moves the cursor, so that it can be read. */
const ESCAPE = "␛";

/** Runs a backup of 40 MB on a terminal, and returns all that was written to it. */
async function backUpOnTerminal(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "terminal_" });
  try {
    const { argv, env } = findTool();
    // Pauses, so that bars are drawn while it runs.
    const dump = "for i in 1 2 3 4; do head -c 10000000 /dev/zero; sleep 0.5; done";
    const words = [
      ...argv,
      "create",
      "from-commands",
      "--format=raw",
      "--init",
      "--backend=plakar",
      `--repo=${folder}/repository`,
      "--neo4j-edition=community",
      `--neo4j-command=sh -c '${dump}'`,
      ...args,
    ];
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const { code, stdout } = await new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", `stty cols 100; ${quoted}`, "/dev/null"],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", ...env, NO_COLOR: "", ...variables },
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stdout).replaceAll("\x1b", ESCAPE);
    assertEquals(code, 0, text);
    return text;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What stays on the screen when it is all over. */
function screenAfter(text: string): string {
  let lines: string[] = [];
  for (const part of text.split(/(␛\[\d+A\r␛\[J)/)) {
    const [, up] = /^␛\[(\d+)A/.exec(part) ?? [];
    if (up !== undefined) lines = lines.slice(0, lines.length - Number(up));
    else lines.push(...part.split("\n").slice(0, -1));
  }
  return lines.join("\n");
}

Deno.test("on a terminal, bars are drawn in colours and taken away", async () => {
  const text = await backUpOnTerminal([]);
  assertMatch(text, /neo4j +␛\[32m█+␛\[0m.* [\d.]+ MB, [\d.]+ [KMG]?B\/s, \d+ % new/);
  const screen = screenAfter(text);
  assertEquals(/[█▒]/.test(screen), false, screen);
  assertMatch(screen, /Backup \d{8}_\d{6} complete/);
});

Deno.test("NO_COLOR takes the colours, and --quiet the bars", async () => {
  const plain = await backUpOnTerminal([], { NO_COLOR: "1" });
  assertMatch(plain, /neo4j +█/);
  assertEquals(/␛\[\d+m/.test(plain), false);
  const quiet = await backUpOnTerminal(["--quiet"]);
  assert(!quiet.includes("█") && !quiet.includes(ESCAPE), quiet);
  assertMatch(quiet, /^Backup \d{8}_\d{6} complete/);
});
