/**
 * Builds `src/kernels/kernels.wasm` from the AssemblyScript sources beside it.
 *
 * `deno run -A scripts/kernels.ts` writes the file; with `--check` it writes nothing and exits with
 * status 1 when the committed file is not what the sources give, byte for byte.
 *
 * @module
 */
import asc from "assemblyscript/asc";
import { INITIAL_PAGES, MAXIMUM_PAGES } from "../src/kernels/_exports.ts";

const FOLDER = new URL("../src/kernels/", import.meta.url);
const WASM = new URL("kernels.wasm", FOLDER);
const SOURCES = new URL("assembly/", FOLDER);

const OPTIONS = [
  "index.ts",
  "--outFile=kernels.wasm",
  "--runtime=stub",
  "--importMemory",
  "--noExportMemory",
  "--sharedMemory",
  `--initialMemory=${INITIAL_PAGES}`,
  `--maximumMemory=${MAXIMUM_PAGES}`,
  // Offset 0 stays unused, so that no constant has the address of "nothing".
  "--memoryBase=1024",
  "--enable=simd",
  "--enable=relaxed-simd",
  "--enable=threads",
  "-O3",
  "--noAssert",
];

async function print(to: typeof Deno.stdout | typeof Deno.stderr, text: string): Promise<void> {
  const writer = to.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}

/** Compiles the sources; resolves to the module's bytes. */
async function build(): Promise<Uint8Array> {
  let built: Uint8Array | undefined;
  let messages = "";
  const log = { write: (text: string) => (messages += text, true) };
  const { error } = await asc.main(OPTIONS, {
    stdout: log,
    stderr: log,
    listFiles: () => [],
    readFile: async (name) => {
      try {
        return await Deno.readTextFile(new URL(name, SOURCES));
      } catch (error) {
        // The compiler tries several names for an import; null makes it try the next.
        if (error instanceof Deno.errors.NotFound) return null;
        throw error;
      }
    },
    writeFile: (_name, contents) => {
      built = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    },
  });
  if (error !== null || built === undefined) {
    throw new Error(`Cannot compile the kernels: ${messages}`, { cause: error });
  }
  return built;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

if (import.meta.main) {
  const wasm = await build();
  if (Deno.args.includes("--check")) {
    if (!equal(wasm, await Deno.readFile(WASM))) {
      await print(
        Deno.stderr,
        "kernels.wasm is not what its sources give: run scripts/kernels.ts\n",
      );
      Deno.exit(1);
    }
    await print(Deno.stdout, `kernels.wasm is up to date: ${wasm.length} bytes\n`);
  } else {
    await Deno.writeFile(WASM, wasm);
    await print(Deno.stdout, `Wrote kernels.wasm: ${wasm.length} bytes\n`);
  }
}
