import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../../scripts/tool.ts";
import { PROGRAMS } from "../../../src/environment/programs.ts";

async function sources(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) texts.push(...await sources(`${folder}/${name}`));
    else if (name.endsWith(".ts")) texts.push(await Deno.readTextFile(`${folder}/${name}`));
  }
  return texts;
}

/** What begins a command in the sources: `run(SERVICE, ["psql"`, `argv: ["df"`, `_COMMAND = ["sh"`. */
const COMMANDS =
  /(?:argv(?::| =)|(?:run|streamIn|streamOut)\(\s*\w+,|_COMMAND =)\s*\[\s*"([a-z][\w.-]*)"/g;

Deno.test("the programs that the sources name for a deployment are in the table", async () => {
  const texts = [
    ...await sources(`${ROOT}src/infrahub`),
    ...await sources(`${ROOT}src/environment`),
  ];
  const named = new Set(
    texts.flatMap((text) => [...text.matchAll(COMMANDS)].map(([, name]) => name)),
  );
  assert(named.size > 15, [...named].join(" "));
  const listed: ReadonlySet<string | undefined> = new Set(Object.values(PROGRAMS).flat());
  assertEquals([...named].filter((name) => !listed.has(name)), []);
});

Deno.test("the documentation has the table of programs", async () => {
  const page = await Deno.readTextFile(`${ROOT}docs/threat-model.md`);
  for (const [kind, programs] of Object.entries(PROGRAMS)) {
    const [, cell = ""] = new RegExp(`^\\| ${kind} +\\| (.*?) +\\|$`, "m").exec(page) ?? [];
    assertEquals(cell.split(", "), programs.map((name) => `\`${name}\``));
  }
});
