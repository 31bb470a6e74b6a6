/** What the documentation says of the clone is true of it. */

import { assertEquals } from "@std/assert";
import { ROOT } from "../../../scripts/tool.ts";

const FOLDERS = ["src", "tests", "bench", "scripts", "docs", ".ci"];

async function documents(): Promise<string[]> {
  const found = ["README.md", "CONTRIBUTING.md", "tests/fixtures/README.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    if (name.endsWith(".md")) found.push(`docs/${name}`);
  }
  return found.sort();
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("paths that the documentation names exist", async () => {
  const named = new RegExp(
    "(?<![\\w/.$-])(?:" + FOLDERS.join("|").replace(".", "\\.") + ")/[\\w./-]+",
    "g",
  );
  const missing: string[] = [];
  let count = 0;
  for (const document of await documents()) {
    const text = await Deno.readTextFile(`${ROOT}${document}`);
    for (const [match] of text.matchAll(named)) {
      const path = match.replace(/[./]+$/, "");
      count++;
      if (!await exists(`${ROOT}${path}`)) missing.push(`${document}: ${path}`);
    }
  }
  assertEquals(missing, []);
  assertEquals(count > 50, true, `only ${count} paths were found`);
});

Deno.test("links between documents lead somewhere", async () => {
  const missing: string[] = [];
  for (const document of await documents()) {
    const text = await Deno.readTextFile(`${ROOT}${document}`);
    const folder = document.includes("/") ? document.slice(0, document.lastIndexOf("/") + 1) : "";
    for (const [, target = ""] of text.matchAll(/\]\(((?!\w+:)[^)#\s]+)[^)]*\)/g)) {
      if (!await exists(`${ROOT}${folder}${target}`)) missing.push(`${document}: ${target}`);
    }
  }
  assertEquals(missing, []);
});

Deno.test("the tree in the architecture page is the tree of folders", async () => {
  const page = await Deno.readTextFile(`${ROOT}docs/architecture.md`);
  const tree = /## The tree\n\n```\n([^]*?)```/.exec(page)?.[1] ?? "";
  const told = new Set<string>();
  const around: string[] = [];
  for (const line of tree.split("\n")) {
    const [, indent = "", name] = /^( *)([\w.]+)\/ /.exec(line) ?? [];
    if (name === undefined) continue;
    around.length = indent.length / 2;
    around.push(name);
    told.add(around.join("/"));
  }
  const found: string[] = [];
  for (
    const folder of [
      "src",
      "src/cli",
      "src/infrahub",
      "src/environment",
      "src/archive",
      "src/kloset",
      "tests",
      "bench",
    ]
  ) {
    for await (const { name, isDirectory } of Deno.readDir(`${ROOT}${folder}`)) {
      if (isDirectory) found.push(`${folder}/${name}`);
    }
  }
  assertEquals(found.filter((folder) => !told.has(folder)), [], "folders that the page lacks");
  const gone: string[] = [];
  for (const folder of told) if (!await exists(`${ROOT}${folder}`)) gone.push(folder);
  assertEquals(gone, [], "folders that only the page has");
});

Deno.test("every package of deno.json has its row in the architecture page", async () => {
  const { imports }: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.json`),
  );
  const page = await Deno.readTextFile(`${ROOT}docs/architecture.md`);
  const rows = page.split("\n").filter((line) => line.startsWith("| `")).map((line) =>
    line.split("|")[1] ?? ""
  );
  const missing = Object.keys(imports).filter((name) =>
    !rows.some((row) => row.includes(`\`${name}\``))
  );
  assertEquals(missing, []);
});
