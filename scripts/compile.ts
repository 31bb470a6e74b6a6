/**
 * Compiles the program into one executable that runs without Deno, Node or npm.
 *
 * ```sh
 * deno task compile [--output=dist/infrahub-backup] [--target=<triple>]
 * ```
 *
 * `deno compile` downloads the runtime that it puts into the executable, unless the environment
 * variable `DENORT_BIN` names one of the same version.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { PERMISSIONS, ROOT, V8_FLAGS } from "./tool.ts";

const DEFAULT_OUTPUT = `${ROOT}dist/infrahub-backup`;

/** Not a random name: it ends up in the executable, and the same sources give the same one. */
const CONFIGURATION_FOLDER = `${ROOT}dist/.compile`;

/** Files that no static import names. */
const INCLUDED = [
  "src/kloset/workers/worker.ts",
  "src/kloset/encryption/argon2id_worker.ts",
  "src/kernels/kernels.wasm",
];

/** Packages of `deno.json` that only tests and scripts import. */
const DEVELOPMENT_IMPORTS = ["@std/assert", "ajv", "fast-check", "assemblyscript"];

interface Configuration {
  readonly version: string;
  readonly imports: Record<string, string>;
  readonly [key: string]: unknown;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

/** The configuration to compile with. */
function compileConfiguration(project: Configuration): Configuration {
  const imports = Object.entries(project.imports).filter(([name]) =>
    !DEVELOPMENT_IMPORTS.includes(name)
  );
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

/**
 * Compiles `main.ts`.
 *
 * @param options output path, and the target triple where it is not this machine
 * @returns whether it went well; messages are on standard error
 */
export async function compile(options: { output: string; target?: string }): Promise<boolean> {
  const project: Configuration = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  // A configuration of its own, so that the packages of tests and scripts stay out: the executable
  // gets all that the lock file lists. The copied lock file pins and verifies the others.
  await Deno.mkdir(CONFIGURATION_FOLDER, { recursive: true });
  try {
    const config = `${CONFIGURATION_FOLDER}/deno.json`;
    await Deno.writeTextFile(config, JSON.stringify(compileConfiguration(project)));
    await Deno.copyFile(`${ROOT}deno.lock`, `${CONFIGURATION_FOLDER}/deno.lock`);
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "compile",
        // "deno task check" checks types, under the configuration that they are written for.
        "--no-check",
        // Its file would have a predictable name in a folder that anybody may write to.
        "--no-code-cache",
        ...PERMISSIONS,
        V8_FLAGS,
        `--config=${config}`,
        ...INCLUDED.map((path) => `--include=${ROOT}${path}`),
        `--output=${options.output}`,
        ...(options.target === undefined ? [] : [`--target=${options.target}`]),
        `${ROOT}main.ts`,
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

if (import.meta.main) {
  const { output, target } = parseArgs({
    args: Deno.args,
    options: { output: { type: "string", default: DEFAULT_OUTPUT }, target: { type: "string" } },
  }).values;
  if (!await compile({ output, ...(target === undefined ? {} : { target }) })) Deno.exit(1);
  print(`Compiled ${output}\n`);
}
