import { ROOT } from "../../scripts/tool.ts";
import { type DataSet, type Stream, streamOf } from "./data_set.ts";

/** The command line of the generator of random bytes. */
export function generator(
  bytes: number,
  seed: number,
  changed?: { readonly from: number; readonly bytes: number },
): string[] {
  return [
    Deno.execPath(),
    "run",
    "--no-config",
    `${ROOT}bench/data/generate.ts`,
    String(bytes),
    String(seed),
    ...(changed === undefined ? [] : [String(changed.from), String(changed.from + changed.bytes)]),
  ];
}

async function write(argv: readonly string[], path: string): Promise<Stream> {
  const [program = "", ...args] = argv;
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
  const [{ success }] = await Promise.all([child.status, child.stdout.pipeTo(file.writable)]);
  if (!success) throw new Error(`${argv.join(" ")} failed`);
  return await streamOf(path);
}

/** Bytes that neither compress nor repeat; the same size gives the same bytes. */
export async function makeRandomData(folder: string, bytes: number): Promise<DataSet> {
  const pages = Math.floor(bytes / 1024);
  // One percent, in whole pages, in the middle.
  const changed = { from: (pages >> 1) * 1024, bytes: Math.ceil(pages / 100) * 1024 };
  return {
    name: "random",
    title: "Random bytes",
    kind: "bytes",
    first: await write(generator(bytes, 1), `${folder}/random-1`),
    changes: [{
      name: "clustered",
      title: "1 % of the bytes changed, in one place",
      stream: await write(generator(bytes, 1, changed), `${folder}/random-2`),
    }],
  };
}
