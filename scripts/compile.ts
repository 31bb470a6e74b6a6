/**
 * Compiles the program into one executable that runs without Deno, Node or npm.
 *
 * ```sh
 * deno task compile [--output=dist/infrahub-backup] [--target=<triple>] [--run=<programs>]
 *   [--entry=main.ts]
 * ```
 *
 * Writes the digest of the executable into `SHA256SUMS` beside it. With `--run=docker,kubectl` it
 * may start these programs and no others; see `docs/threat-model.md` for what that costs. `--entry` is
 * for tests: another module that runs the program.
 *
 * `deno compile` downloads the runtime that it puts into the executable, unless the environment
 * variable `DENORT_BIN` names one of the same version.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { runtimePackages } from "./check_layers.ts";
import { print } from "./print.ts";
import { permissions, ROOT, V8_FLAGS } from "./tool.ts";

const DEFAULT_OUTPUT = `${ROOT}dist/infrahub-backup`;

/** Not a random name: it ends up in the executable, and the same sources give the same one. */
const CONFIGURATION_FOLDER = `${ROOT}dist/.compile`;

/** Files that no static import names. */
const INCLUDED = [
  "src/kloset/workers/worker.ts",
  "src/kloset/key/argon2id_worker.ts",
  "src/kernels/kernels.wasm",
];

interface Configuration {
  readonly version: string;
  readonly imports: Record<string, string>;
  readonly [key: string]: unknown;
}

/** The configuration to compile with: without the packages that only tests and scripts import. */
async function compileConfiguration(project: Configuration): Promise<Configuration> {
  const needed = await runtimePackages(ROOT);
  const imports = Object.entries(project.imports).filter(([name]) => needed.has(name));
  return {
    ...project,
    imports: {
      ...Object.fromEntries(imports),
      // Deno takes the WebAssembly file for a module and looks for what it imports. The program
      // reads the file itself and brings the memory, so that this module never runs.
      "env": "data:text/javascript,export const memory = undefined;",
    },
  };
}

/** What is compiled. */
interface CompileOptions {
  /** Path of the executable. */
  readonly output: string;
  /** The module that runs the program. */
  readonly entry: string;
  /** Target triple, where it is not this machine. */
  readonly target?: string;
  /** The only programs that it may start, by their names; any when left out. */
  readonly programs?: readonly string[];
}

/**
 * Compiles the program.
 *
 * @returns whether it went well; messages are on standard error
 */
async function compile(options: CompileOptions): Promise<boolean> {
  const project: Configuration = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  // A configuration of its own, so that the packages of tests and scripts stay out: the executable
  // gets all that the lock file lists. The copied lock file pins and verifies the others.
  await Deno.mkdir(CONFIGURATION_FOLDER, { recursive: true });
  try {
    const config = `${CONFIGURATION_FOLDER}/deno.json`;
    await Deno.writeTextFile(config, JSON.stringify(await compileConfiguration(project)));
    await Deno.copyFile(`${ROOT}deno.lock`, `${CONFIGURATION_FOLDER}/deno.lock`);
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "compile",
        // "deno task check" checks types, under the configuration that they are written for.
        "--no-check",
        // Its file would have a predictable name in a folder that anybody may write to.
        "--no-code-cache",
        ...permissions(options.programs),
        V8_FLAGS,
        `--config=${config}`,
        ...INCLUDED.map((path) => `--include=${ROOT}${path}`),
        `--output=${options.output}`,
        ...(options.target === undefined ? [] : [`--target=${options.target}`]),
        options.entry,
      ],
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    return success;
  } finally {
    await Deno.remove(CONFIGURATION_FOLDER, { recursive: true });
  }
}

/** Puts the digest of a file into `SHA256SUMS` beside it, as `sha256sum --check` reads it. */
async function recordDigest(path: string): Promise<void> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const bytes of file.readable) hash.update(bytes);
  const sums = join(dirname(path), "SHA256SUMS");
  const name = basename(path);
  const lines = (await Deno.readTextFile(sums).catch(nothingYet)).split("\n")
    .filter((line) => line !== "" && line.slice(66) !== name);
  lines.push(`${hash.digest("hex")}  ${name}`);
  lines.sort((a, b) => a.slice(66) < b.slice(66) ? -1 : 1);
  await Deno.writeTextFile(sums, `${lines.join("\n")}\n`);
}

function nothingYet(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "";
  throw error;
}

if (import.meta.main) {
  const { output, entry, target, run } = parseArgs({
    args: Deno.args,
    options: {
      output: { type: "string", default: DEFAULT_OUTPUT },
      entry: { type: "string", default: `${ROOT}main.ts` },
      target: { type: "string" },
      run: { type: "string" },
    },
  }).values;
  const options: CompileOptions = {
    output,
    entry,
    ...(target === undefined ? {} : { target }),
    ...(run === undefined ? {} : { programs: run.split(",") }),
  };
  if (!await compile(options)) Deno.exit(1);
  // The name that it gets for Windows.
  const path = /windows/.test(target ?? "") && !output.endsWith(".exe") ? `${output}.exe` : output;
  await recordDigest(path);
  print(`Compiled ${path}\n`);
}
