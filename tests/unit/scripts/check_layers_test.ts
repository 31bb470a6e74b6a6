import { assertEquals } from "@std/assert";
import { checkLayers } from "../../../scripts/check_layers.ts";

/** A small tree in which every rule is kept. */
const SOUND: Readonly<Record<string, string>> = {
  "deno.json":
    '{ "imports": { "commander": "npm:commander@1", "modern-tar": "npm:modern-tar@1" } }',
  "main.ts": 'import { run } from "./src/cli/mod.ts";\nDeno.exit(await run());\n',
  "src/cli/mod.ts": 'export { run } from "./run.ts";\n',
  "src/cli/run.ts": [
    'import { Command } from "commander";',
    'import { restore } from "../infrahub/mod.ts";',
    'import type { Repository } from "../kloset/mod.ts";',
    'import project from "../../deno.json" with { type: "json" };',
    'console.log("hello");',
    "Deno.exit(1);",
  ].join("\n"),
  "src/infrahub/mod.ts": [
    'import { exec } from "../environment/mod.ts";',
    'import { tar } from "../archive/mod.ts";',
    'import { Repository } from "../kloset/mod.ts";',
  ].join("\n"),
  "src/environment/mod.ts": 'import { spawn } from "node:child_process";\n',
  "src/archive/mod.ts": 'import * as tar from "modern-tar";\n',
  "src/kloset/mod.ts": [
    'export * from "./errors.ts";',
    'export * from "./format/mod.ts";',
    'import { Kernels } from "../kernels/mod.ts";',
    'new Worker(new URL("./workers/worker.ts", import.meta.url), { type: "module" });',
  ].join("\n"),
  "src/kloset/errors.ts": "export class KlosetError extends Error {}\n",
  "src/kloset/format/mod.ts": 'export * from "./envelope.ts";\n',
  "src/kloset/format/envelope.ts": "export const MAGIC = 1;\n",
  "src/kloset/store/mod.ts": 'import { KlosetError } from "../errors.ts";\n',
  "src/kloset/index/mod.ts": 'import { MAGIC } from "../format/mod.ts";\n',
  "src/kloset/workers/worker.ts": 'import { Kernels } from "../../kernels/mod.ts";\n',
  "src/kernels/mod.ts": 'new URL("./kernels.wasm", import.meta.url);\n',
  "src/kernels/assembly/fastcdc.ts": 'import { x } from "../../cli/run.ts";\nconsole.log(1);\n',
};

async function check(changes: Readonly<Record<string, string>>): Promise<string[]> {
  const root = await Deno.makeTempDir({ prefix: "layers-" });
  try {
    for (const [path, text] of Object.entries({ ...SOUND, ...changes })) {
      const folder = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, text);
    }
    const violations = await checkLayers(root);
    return violations.map(({ path, line, reason }) => `${path}:${line}: ${reason}`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("checkLayers() finds nothing in a tree that keeps the rules", async () => {
  assertEquals(await check({}), []);
});

const BREACHES: readonly { name: string; path: string; text: string; want: string }[] = [
  {
    name: "main reaches past the command line",
    path: "main.ts",
    text: 'import "./src/kloset/mod.ts";',
    want: "main.ts:1: main.ts may not import src/kloset",
  },
  {
    name: "the engine knows Infrahub",
    path: "src/kloset/mod.ts",
    text: '// why\nimport { restore } from "../infrahub/mod.ts";',
    want: "src/kloset/mod.ts:2: src/kloset may not import src/infrahub",
  },
  {
    name: "a re-export reaches up",
    path: "src/infrahub/mod.ts",
    text: 'export * from "../cli/mod.ts";',
    want: "src/infrahub/mod.ts:1: src/infrahub may not import src/cli",
  },
  {
    name: "a type import reaches up",
    path: "src/environment/mod.ts",
    text: 'import type { Repository } from "../kloset/mod.ts";',
    want: "src/environment/mod.ts:1: src/environment may not import src/kloset",
  },
  {
    name: "a dynamic import reaches aside",
    path: "src/archive/mod.ts",
    text: 'const kloset = await import("../kloset/mod.ts");',
    want: "src/archive/mod.ts:1: src/archive may not import src/kloset",
  },
  {
    name: "a worker reference reaches up",
    path: "src/kernels/mod.ts",
    text: 'new Worker(\n  new URL("../kloset/workers/worker.ts", import.meta.url),\n);',
    want: "src/kernels/mod.ts:2: src/kernels may not import src/kloset",
  },
  {
    name: "kernels are reached from Infrahub",
    path: "src/infrahub/mod.ts",
    text: 'import { Kernels } from "../kernels/mod.ts";',
    want: "src/infrahub/mod.ts:1: src/infrahub may not import src/kernels",
  },
  {
    name: "the format knows errors of the engine",
    path: "src/kloset/format/mod.ts",
    text: 'import { KlosetError } from "../errors.ts";',
    want: "src/kloset/format/mod.ts:1: src/kloset/format may not import src/kloset/errors.ts",
  },
  {
    name: "the format knows kernels",
    path: "src/kloset/format/mod.ts",
    text: 'import { Kernels } from "../../kernels/mod.ts";',
    want: "src/kloset/format/mod.ts:1: src/kloset/format may not import src/kernels",
  },
  {
    name: "the store knows the format",
    path: "src/kloset/store/mod.ts",
    text: 'import { MAGIC } from "../format/mod.ts";',
    want: "src/kloset/store/mod.ts:1: src/kloset/store may not import src/kloset/format",
  },
  {
    name: "the index knows the store",
    path: "src/kloset/index/mod.ts",
    text: 'import { openStore } from "../store/mod.ts";',
    want: "src/kloset/index/mod.ts:1: src/kloset/index may not import src/kloset/store",
  },
  {
    name: "another folder passes by mod.ts",
    path: "src/cli/run.ts",
    text: 'import { KlosetError } from "../kloset/errors.ts";',
    want: "src/cli/run.ts:1: src/cli may not import src/kloset/errors.ts",
  },
  {
    name: "a sibling's mod.ts is passed by",
    path: "src/kloset/workers/worker.ts",
    text: 'import { MAGIC } from "../format/envelope.ts";',
    want: "src/kloset/workers/worker.ts:1: src/kloset/format is imported through its mod.ts, " +
      "not through src/kloset/format/envelope.ts",
  },
  {
    name: "a folder's own mod.ts passes by that of a folder below",
    path: "src/kloset/mod.ts",
    text: 'export { MAGIC } from "./format/envelope.ts";',
    want: "src/kloset/mod.ts:1: src/kloset/format is imported through its mod.ts, " +
      "not through src/kloset/format/envelope.ts",
  },
  {
    name: "commander outside the command line",
    path: "src/infrahub/mod.ts",
    text: 'import { Command } from "commander";',
    want: 'src/infrahub/mod.ts:1: only src/cli may import "commander"',
  },
  {
    name: "a registry specifier",
    path: "src/cli/run.ts",
    text: 'import { Command } from "npm:commander@15";',
    want:
      'src/cli/run.ts:1: "npm:commander@15" is no mapped name: add it to the imports of deno.json',
  },
  {
    name: "a jsr specifier",
    path: "src/archive/mod.ts",
    text: 'import { tar } from "jsr:@std/tar";',
    want:
      'src/archive/mod.ts:1: "jsr:@std/tar" is no mapped name: add it to the imports of deno.json',
  },
  {
    name: "an address",
    path: "src/archive/mod.ts",
    text: 'import { tar } from "https://example.org/tar.ts";',
    want: 'src/archive/mod.ts:1: "https://example.org/tar.ts" is no mapped name: ' +
      "add it to the imports of deno.json",
  },
  {
    name: "a name that deno.json does not map",
    path: "src/archive/mod.ts",
    text: 'import { tar } from "tar";',
    want: 'src/archive/mod.ts:1: "tar" is not in the imports of deno.json',
  },
  {
    name: "console outside the command line",
    path: "src/archive/mod.ts",
    text: 'const text = `a ${"b"}`;\nconsole.log(text);',
    want: "src/archive/mod.ts:2: src/archive may not use the console",
  },
  {
    name: "an exit below the command line",
    path: "src/kloset/mod.ts",
    text: "if (1 / 2 / 3) Deno.exit(1);",
    want: "src/kloset/mod.ts:1: src/kloset may not end the process",
  },
  {
    name: "a file outside the layers",
    path: "src/cli/run.ts",
    text: 'import { installPeer } from "../../scripts/peers.ts";',
    want: "src/cli/run.ts:1: scripts/peers.ts is outside the table of layers",
  },
  {
    name: "deno.json below the command line",
    path: "src/kloset/mod.ts",
    text: 'import project from "../../deno.json" with { type: "json" };',
    want: "src/kloset/mod.ts:1: src/kloset may not import deno.json",
  },
  {
    name: "a new folder",
    path: "src/utils/mod.ts",
    text: "export {};",
    want: "src/utils/mod.ts:1: is outside the table of layers",
  },
];

Deno.test("checkLayers() names each breach, and only that", async (t) => {
  for (const { name, path, text, want } of BREACHES) {
    await t.step(name, async () => assertEquals(await check({ [path]: text }), [want]));
  }
});

Deno.test("checkLayers() passes over comments, strings, templates and patterns", async () => {
  const text = [
    '/** import { x } from "../cli/mod.ts"; console.log() */',
    '// import { x } from "../cli/mod.ts";',
    "const a = 'import \"../cli/mod.ts\"';",
    'const b = `import "../cli/mod.ts"; console.log(1) ${`Deno.exit(${1})`}`;',
    "const c = /console.log('/.test(a) && /[/\"]/.test(b);",
    "const d = { console: 1 }.console;",
  ].join("\n");
  assertEquals(await check({ "src/archive/mod.ts": text }), []);
});
