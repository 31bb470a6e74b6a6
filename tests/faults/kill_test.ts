/**
 * Backups killed at random instants (SIGKILL): what was acknowledged is there, and all is sound.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CheckMemo, openRepository, openStore } from "../../src/kloset/mod.ts";
import { Plakar } from "../interop/plakar.ts";
import { snapshotIds } from "./backups.ts";
import { randomSeed } from "./mutations.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

/** Fewer where no plakar is the judge at the end: the suite that has one follows with all of them. */
const KILLS = Deno.env.get("PLAKAR") ? 50 : 12;

/** From its first output on, a child lives up to this long, so that it dies at work. */
const LONGEST_LIFE_MS = 350;

const CHILD = new URL("_kill_child.ts", import.meta.url).pathname;

/** Mulberry32: numbers in [0, 1), the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs a child, kills it after a time, and returns what it has acknowledged. */
async function killed(directory: string, seed: number, lifeMs: number): Promise<string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--quiet", CHILD, directory, `${seed}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), lifeMs);
  const { stdout, stderr, signal } = await child.output();
  clearTimeout(timer);
  assertEquals(signal, "SIGKILL", new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).split("\n");
  // What comes after the last newline was not said to the end.
  return lines.slice(0, -1);
}

/** How long a child takes from its start to its first snapshot, in milliseconds. */
async function startupMs(directory: string): Promise<number> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--quiet", CHILD, directory, "0"],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  assert(!done, "the child ended before its first snapshot");
  const elapsedMs = performance.now() - start;
  child.kill("SIGKILL");
  await reader.cancel();
  await child.status;
  return elapsedMs;
}

Deno.test({
  name: `${KILLS} backups that are killed lose nothing that was acknowledged`,
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using directory = await TemporaryDirectory.make();
    const seed = randomSeed();
    const random = randomNumbers(seed);
    const context = `seed ${seed}`;
    const startMs = await startupMs(directory.at("warm-up"));

    const path = directory.at("repository");
    const acknowledged = new Set<string>();
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      // From the middle of its start on, which includes the repository's creation.
      const lifeMs = startMs / 2 + random() * (startMs / 2 + LONGEST_LIFE_MS);
      const ids = await killed(path, kill + 1, lifeMs);
      for (const id of ids) acknowledged.add(id);
      if (await openStore(path).presence() === "absent") {
        assertEquals(acknowledged.size, 0, context);
        continue;
      }
      await using repository = await openRepository(openStore(path), { jobs: 1 });
      assertEquals(repository.damagedStates, [], context);
      const found = new Set(await snapshotIds(repository));
      for (const id of acknowledged) assert(found.has(id), `${context}: ${id} has gone`);
      if ((await directory.files("repository")).some((file) => /^(locks\/|.*tmp\.)/.test(file))) {
        interrupted++;
      }
    }
    assert(acknowledged.size > 0, `${context}: no child has finished a snapshot`);
    assert(interrupted > KILLS / 4, `${context}: only ${interrupted} kills have hit a backup`);

    const last = await openRepository(openStore(path), { jobs: 2 });
    try {
      const memo = new CheckMemo();
      for (const id of await snapshotIds(last)) {
        const reader = await last.openSnapshot(id);
        assertEquals(await reader.check({ memo }), [], context);
        assertEquals(acknowledged.has(id) || reader.header.name !== "", true);
      }
    } finally {
      await last.close();
    }
    await checkWithPlakar(path);
  },
});

/** Where the environment names a plakar, it agrees. */
async function checkWithPlakar(repository: string): Promise<void> {
  const executable = Deno.env.get("PLAKAR");
  if (executable === undefined || executable === "") return;
  await using plakar = await Plakar.start(executable);
  await plakar.check(repository);
}
