/**
 * Time and memory of a first backup to a directory and to a bucket, in turn.
 *
 * ```sh
 * deno run -A bench/scale/s3_backup.ts [--bytes=1073741824] [--runs=3] [--apart]
 * ```
 *
 * Starts MinIO on loopback, which `scripts/peers.ts` builds; it works on the same processors and the
 * same disk, so that this is the least that a service of its own machine gives. With `--apart` the
 * backups have the first processor and MinIO the second, so that neither takes the other's time.
 * Needs GNU time, and free space of three times the bytes in the temporary folder. Prints one line a
 * run, and the ratio of the medians.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { findTool, ROOT } from "../../scripts/tool.ts";
import { startServer } from "../../tests/s3/servers.ts";

interface Run {
  readonly seconds: number;
  readonly peakMib: number;
}

const decoder = new TextDecoder();

async function backUp(dump: string, repository: string): Promise<Run> {
  const tool = findTool();
  const started = performance.now();
  const pinned = values.apart ? ["taskset", "--cpu-list", "0"] : [];
  const { success, stderr } = await new Deno.Command("time", {
    args: [
      "-f",
      "peak %M",
      ...pinned,
      ...tool.argv,
      ...[
        "--backend",
        "plakar",
        "--quiet",
        "create",
        "from-files",
        "--format=raw",
        "--neo4j-path",
        dump,
      ],
    ],
    // The location has credentials in it: not on the command line.
    env: { ...tool.env, INFRAHUB_REPO: repository, INFRAHUB_CACHE_DIR: `${dump}.cache` },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = decoder.decode(stderr);
  if (!success) throw new Error(text);
  const kib = Number(/peak (\d+)/.exec(text)?.[1]);
  return { seconds: (performance.now() - started) / 1000, peakMib: kib / 1024 };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Keeps a process and its threads on one processor. */
async function pin(pid: number, processor: string): Promise<void> {
  const args = ["--all-tasks", "--pid", "--cpu-list", processor, String(pid)];
  const { success, stderr } = await new Deno.Command("taskset", { args }).output();
  if (!success) throw new Error(decoder.decode(stderr));
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

const { values } = parseArgs({
  options: {
    bytes: { type: "string", default: String(1024 ** 3) },
    runs: { type: "string", default: "3" },
    apart: { type: "boolean", default: false },
  },
});
const folder = await Deno.makeTempDir({ prefix: "s3-bench-" });
const server = await startServer("minio");
try {
  if (values.apart) await pin(server.pid, "1");
  const dump = `${folder}/neo4j.dump`;
  const generator = new Deno.Command(Deno.execPath(), {
    args: ["run", `${ROOT}bench/data/generate.ts`, values.bytes, "7"],
    stdout: "piped",
  }).spawn();
  using file = await Deno.open(dump, { write: true, createNew: true });
  await generator.stdout.pipeTo(file.writable, { preventClose: true });
  const seconds: Record<"disk" | "S3", number[]> = { disk: [], S3: [] };
  for (let run = 1; run <= Number(values.runs); run++) {
    for (const where of ["disk", "S3"] as const) {
      const place = where === "disk" ? `${folder}/repository` : server.at(`bench-${run}/r`);
      const result = await backUp(dump, place);
      seconds[where].push(result.seconds);
      print(`${where}: ${result.seconds.toFixed(1)} s, peak ${result.peakMib.toFixed(0)} MiB`);
      await Deno.remove(where === "disk" ? place : `${server.data}/bench-${run}`, {
        recursive: true,
      });
    }
  }
  const ratio = median(seconds.disk) / median(seconds.S3);
  print(`S3 has ${(100 * ratio).toFixed(0)} % of the speed of the disk`);
} finally {
  await server.stop();
  await Deno.remove(folder, { recursive: true });
}
