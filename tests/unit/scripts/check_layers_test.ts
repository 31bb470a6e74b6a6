import { assertEquals } from "@std/assert";
import { checkLayers, type Findings } from "../../../scripts/check_layers.ts";

/** A small tree in which every rule is kept, and every module reached. */
const SOUND: Readonly<Record<string, string>> = {
  "deno.json":
    '{ "imports": { "commander": "npm:commander@1", "modern-tar": "npm:modern-tar@1" } }',
  "main.ts": [
    'import { VERSION } from "./src/cli/process/version.ts";',
    'const { run } = await import("./src/cli/mod.ts");',
  ].join("\n"),
  "src/cli/mod.ts": 'export { run } from "./run.ts";\n',
  "src/cli/run.ts": [
    'import { Command } from "commander";',
    'import { restore } from "../infrahub/mod.ts";',
    'import type { Repository } from "../kloset/mod.ts";',
    'import { VERSION } from "./process/mod.ts";',
  ].join("\n"),
  "src/cli/process/mod.ts": 'export * from "./version.ts";\n',
  "src/cli/process/version.ts": 'import project from "../../../deno.json" with { type: "json" };\n',
  "src/infrahub/mod.ts": [
    'import { exec } from "../environment/mod.ts";',
    'import { tar } from "../archive/mod.ts";',
    'import { Repository } from "../kloset/mod.ts";',
    'import { dump } from "./postgres/mod.ts";',
  ].join("\n"),
  "src/infrahub/component.ts": "export type Component = string;\n",
  "src/infrahub/postgres/mod.ts": 'export * from "./dump.ts";\nexport * from "./restore.ts";\n',
  "src/infrahub/postgres/dump.ts": [
    'import type { Component } from "../component.ts";',
    'import { quote } from "./_quote.ts";',
    'import { Bucket } from "../../s3/mod.ts";',
  ].join("\n"),
  "src/infrahub/postgres/restore.ts": 'import { quote } from "./_quote.ts";\n',
  "src/infrahub/postgres/_quote.ts": "export const quote = String;\n",
  "src/environment/mod.ts": 'import { spawn } from "node:child_process";\n',
  "src/archive/mod.ts": 'import * as tar from "modern-tar";\n',
  "src/kloset/mod.ts": [
    'export * from "./errors.ts";',
    'export * from "./format/mod.ts";',
    'export * from "./store/mod.ts";',
    'export * from "./index/mod.ts";',
    'import { Kernels } from "../kernels/mod.ts";',
    'new Worker(new URL("./workers/worker.ts", import.meta.url), { type: "module" });',
  ].join("\n"),
  "src/kloset/errors.ts": 'import { ToolError } from "../errors/mod.ts";\n',
  "src/kloset/format/mod.ts": 'export * from "./envelope.ts";\n',
  "src/kloset/format/envelope.ts": "export const MAGIC = 1;\n",
  "src/kloset/store/mod.ts": 'import { KlosetError } from "../errors.ts";\n',
  "src/kloset/index/mod.ts": 'import { MAGIC } from "../format/mod.ts";\n',
  "src/kloset/workers/worker.ts": 'import { Kernels } from "../../kernels/mod.ts";\n',
  "src/kernels/mod.ts": 'new URL("./kernels.wasm", import.meta.url);\n',
  "src/kernels/assembly/fastcdc.ts": 'import { x } from "../../cli/run.ts";\nconsole.log(1);\n',
  "src/s3/mod.ts": 'import { exists } from "../files/mod.ts";\n',
  "src/files/mod.ts": 'import { ToolError } from "../errors/mod.ts";\n',
  "src/errors/mod.ts": "export class ToolError extends Error {}\n",
};

async function findingsOf(changes: Readonly<Record<string, string>>): Promise<Findings> {
  const root = await Deno.makeTempDir({ prefix: "layers-" });
  try {
    for (const [path, text] of Object.entries({ ...SOUND, ...changes })) {
      const folder = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, text);
    }
    return await checkLayers(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function check(changes: Readonly<Record<string, string>>): Promise<string[]> {
  const { violations } = await findingsOf(changes);
  return violations.map(({ path, line, reason }) => `${path}:${line}: ${reason}`);
}

/** The tree with further text at the end of one module. */
function added(path: string, text: string): Record<string, string> {
  return { [path]: `${SOUND[path] ?? ""}${text}` };
}

Deno.test("checkLayers() finds nothing in a tree that keeps the rules, and counts it", async () => {
  const { violations, ...counts } = await findingsOf({});
  assertEquals(violations, []);
  assertEquals(counts, {
    files: 23,
    folders: 15,
    importsBetweenFolders: 19,
    circles: 0,
    upward: 0,
  });
});

/** Breaches by one more line in one module. */
const BREACHES: readonly { name: string; path: string; text: string; want: string }[] = [
  {
    name: "main reaches past the command line",
    path: "main.ts",
    text: 'import "./src/kloset/mod.ts";',
    want: "main.ts may not import src/kloset",
  },
  {
    name: "a dynamic import reaches aside",
    path: "src/environment/mod.ts",
    text: 'const archive = await import("../archive/mod.ts");',
    want: "src/environment may not import src/archive",
  },
  {
    name: "a type import reaches aside",
    path: "src/environment/mod.ts",
    text: 'import type { Repository } from "../archive/mod.ts";',
    want: "src/environment may not import src/archive",
  },
  {
    name: "a re-export reaches aside",
    path: "src/environment/mod.ts",
    text: 'export * from "../archive/mod.ts";',
    want: "src/environment may not import src/archive",
  },
  {
    name: "kernels are reached from Infrahub",
    path: "src/infrahub/mod.ts",
    text: 'import { Kernels } from "../kernels/mod.ts";',
    want: "src/infrahub may not import src/kernels",
  },
  {
    name: "the format knows errors of the engine",
    path: "src/kloset/format/mod.ts",
    text: 'import { KlosetError } from "../errors.ts";',
    want: "src/kloset/format may not import src/kloset/errors.ts",
  },
  {
    name: "the format knows kernels",
    path: "src/kloset/format/mod.ts",
    text: 'import { Kernels } from "../../kernels/mod.ts";',
    want: "src/kloset/format may not import src/kernels/mod.ts",
  },
  {
    name: "the store knows the format",
    path: "src/kloset/store/mod.ts",
    text: 'import { MAGIC } from "../format/mod.ts";',
    want: "src/kloset/store may not import src/kloset/format/mod.ts",
  },
  {
    name: "the index knows the store",
    path: "src/kloset/index/mod.ts",
    text: 'import { openStore } from "../store/mod.ts";',
    want: "src/kloset/index may not import src/kloset/store/mod.ts",
  },
  {
    name: "another folder passes by mod.ts",
    path: "src/cli/run.ts",
    text: 'import { KlosetError } from "../kloset/errors.ts";',
    want: "src/kloset is imported through its mod.ts, not through src/kloset/errors.ts",
  },
  {
    name: "a sibling's mod.ts is passed by",
    path: "src/kloset/workers/worker.ts",
    text: 'import { MAGIC } from "../format/envelope.ts";',
    want: "src/kloset/format is imported through its mod.ts, " +
      "not through src/kloset/format/envelope.ts",
  },
  {
    name: "a folder's own mod.ts passes by that of a folder below",
    path: "src/kloset/mod.ts",
    text: 'export { MAGIC } from "./format/envelope.ts";',
    want: "src/kloset/format is imported through its mod.ts, " +
      "not through src/kloset/format/envelope.ts",
  },
  {
    name: "a private file is named by the folder above",
    path: "src/infrahub/mod.ts",
    text: 'import { quote } from "./postgres/_quote.ts";',
    want: "src/infrahub/postgres/_quote.ts is private to src/infrahub/postgres",
  },
  {
    name: "commander outside the command line",
    path: "src/infrahub/mod.ts",
    text: 'import { Command } from "commander";',
    want: 'only src/cli may import "commander"',
  },
  {
    name: "a registry specifier",
    path: "src/cli/run.ts",
    text: 'import { Tar } from "npm:tar@15";',
    want: '"npm:tar@15" is no mapped name: add it to the imports of deno.json',
  },
  {
    name: "a jsr specifier",
    path: "src/archive/mod.ts",
    text: 'import { tar } from "jsr:@std/tar";',
    want: '"jsr:@std/tar" is no mapped name: add it to the imports of deno.json',
  },
  {
    name: "an address",
    path: "src/archive/mod.ts",
    text: 'import { tar } from "https://example.org/tar.ts";',
    want: '"https://example.org/tar.ts" is no mapped name: add it to the imports of deno.json',
  },
  {
    name: "a name that deno.json does not map",
    path: "src/archive/mod.ts",
    text: 'import { tar } from "tar";',
    want: '"tar" is not in the imports of deno.json',
  },
  {
    name: "a file outside the layers",
    path: "src/cli/run.ts",
    text: 'import { installPeer } from "../../scripts/peers.ts";',
    want: "scripts/peers.ts is outside the table of layers",
  },
  {
    name: "deno.json below the command line",
    path: "src/kloset/mod.ts",
    text: 'import project from "../../deno.json" with { type: "json" };',
    want: "deno.json is outside the table of layers",
  },
  {
    name: "deno.json elsewhere in the command line",
    path: "src/cli/run.ts",
    text: 'import project from "../../deno.json" with { type: "json" };',
    want: "deno.json is outside the table of layers",
  },
];

Deno.test("checkLayers() names each breach, and only that", async (t) => {
  for (const { name, path, text, want } of BREACHES) {
    await t.step(name, async () => {
      const line = (SOUND[path] ?? "").replace(/\n$/, "").split("\n").length + 1;
      const changes = { [path]: `${SOUND[path]?.replace(/\n$/, "")}\n${text}\n` };
      if (text.includes("scripts/peers.ts")) changes["scripts/peers.ts"] = "export {};\n";
      assertEquals(await check(changes), [`${path}:${line}: ${want}`]);
    });
  }
});

Deno.test("checkLayers() follows workers, and where a worker stands", async () => {
  const found = await check({
    "src/archive/mod.ts":
      'new Worker(\n  new URL("../kloset/workers/worker.ts", import.meta.url),\n);',
    "src/kloset/workers/worker.ts": 'import { exec } from "../../environment/mod.ts";',
  });
  assertEquals(found, [
    "src/archive/mod.ts:2: src/archive may not import src/kloset",
    "src/kloset/workers/worker.ts:1: src/kloset may not import src/environment",
  ]);
});

Deno.test("checkLayers() tells an import that points upward, counts it, and shows the circle", async () => {
  const { violations, circles, upward } = await findingsOf(
    added("src/s3/mod.ts", 'import { run } from "../cli/mod.ts";\n'),
  );
  assertEquals([circles, upward], [1, 1]);
  assertEquals(violations.map(({ path }) => path), ["src/cli", "src/s3/mod.ts"]);
  assertEquals(violations[1]?.reason, "src/s3 may not import src/cli");
});

Deno.test("checkLayers() finds a circle between files of a folder", async () => {
  assertEquals(
    await check(
      added("src/infrahub/postgres/_quote.ts", 'import type { Dump } from "./dump.ts";\n'),
    ),
    [
      "src/infrahub/postgres/_quote.ts:1: stands in a circle of src/infrahub/postgres/_quote.ts, " +
      "src/infrahub/postgres/dump.ts: " +
      "src/infrahub/postgres/_quote.ts:2 -> src/infrahub/postgres/dump.ts; " +
      "src/infrahub/postgres/dump.ts:2 -> src/infrahub/postgres/_quote.ts",
    ],
  );
});

Deno.test("checkLayers() finds a circle between folders that no two files make", async () => {
  const found = await check({
    ...added("src/infrahub/postgres/restore.ts", 'import { run } from "../run/mod.ts";\n'),
    "src/infrahub/run/mod.ts": 'export * from "./plan.ts";\n',
    "src/infrahub/run/plan.ts": "export const run = 1;\n",
    "src/infrahub/run/both.ts": 'import { dump } from "../postgres/mod.ts";\n',
    ...added("src/infrahub/mod.ts", '\nimport "./run/mod.ts";\n'),
  });
  assertEquals(found, [
    "src/infrahub/run/both.ts:1: is reached from no entry point of the program",
  ]);
  const reached = await check({
    ...added("src/infrahub/postgres/restore.ts", 'import { run } from "../run/mod.ts";\n'),
    "src/infrahub/run/mod.ts": 'export * from "./plan.ts";\n',
    "src/infrahub/run/plan.ts":
      'export const run = 1;\nnew Worker(new URL("./both.ts", import.meta.url));\n',
    "src/infrahub/run/both.ts": 'import { dump } from "../postgres/mod.ts";\n',
  });
  assertEquals(reached, [
    "src/infrahub/postgres:1: stands in a circle of src/infrahub/postgres, src/infrahub/run: " +
    "src/infrahub/postgres/restore.ts:2 -> src/infrahub/run/mod.ts; " +
    "src/infrahub/run/both.ts:1 -> src/infrahub/postgres/mod.ts",
  ]);
});

Deno.test("checkLayers() finds a folder with too many files, and one outside the layers", async () => {
  const names = Array.from({ length: 21 }, (_, index) => `part_${index}`);
  const found = await check({
    ...Object.fromEntries(names.map((name) => [`src/files/${name}.ts`, "export {};\n"])),
    ...added("src/files/mod.ts", names.map((name) => `import "./${name}.ts";\n`).join("")),
    "src/utils/mod.ts": "export {};\n",
  });
  assertEquals(found, [
    "src/files:1: has 22 files of its own; 20 is the most",
    "src/utils/mod.ts:1: is outside the table of layers",
  ]);
});

Deno.test("checkLayers() passes over comments, strings, templates and patterns", async () => {
  const text = [
    '\n/** import { x } from "../cli/mod.ts"; */',
    '// import { x } from "../cli/mod.ts";',
    "const a = 'import \"../cli/mod.ts\"';",
    'const b = `import "../cli/mod.ts"; ${`import "../cli/mod.ts"`}`;',
    "const c = /import '/.test(a) && /[/\"]/.test(b);",
  ].join("\n");
  assertEquals(await check(added("src/archive/mod.ts", text)), []);
});
