import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Kernels } from "../../../../../src/kernels/mod.ts";
import { openRepository, openStore } from "../../../../../src/kloset/mod.ts";
import { SharedLock } from "../../../../../src/kloset/state/lock.ts";
import { LOCK_STALE_MS } from "../../../../../src/kloset/state/lock_file.ts";
import { Codec } from "../../../../../src/kloset/unit/codec.ts";
import { MacFunction } from "../../../../../src/kloset/unit/mac.ts";
import { parseLines } from "../../../../cli/_json_lines.ts";
import { Workbench } from "../../_deployment.ts";

/** Takes a lock in a repository, of a program that never gives it back. */
async function lock(location: string, byte: number, ageMs: number): Promise<void> {
  const store = openStore(location);
  await using repository = await openRepository(store, {});
  const kernels = await Kernels.load();
  const key = kernels.blake3(repository.configuration.repositoryId);
  const taken = await SharedLock.acquire(new Uint8Array(32).fill(byte), {
    store,
    codec: new Codec(kernels, { compression: "LZ4", encryption: undefined }),
    mac: new MacFunction(kernels, { algorithm: "BLAKE3", key }),
    hostname: `host-${byte}`,
    onWarning: () => {},
    now: () => Date.now() - ageMs,
  });
  const path = `${location}/locks/${byte.toString(16).padStart(2, "0").repeat(32)}`;
  const bytes = await Deno.readFile(path);
  // It ends its timer as well.
  await taken.release();
  await Deno.writeFile(path, bytes);
}

async function names(location: string): Promise<string[]> {
  const found = await Array.fromAsync(Deno.readDir(`${location}/locks`));
  return found.map(({ name }) => name.slice(0, 2)).sort();
}

Deno.test("repo unlock removes what was left behind, and by --force the rest", async () => {
  await using bench = await Workbench.create();
  const created = await bench.run(["create"]);
  assertEquals(created.code, 0, created.err);
  const { repository } = bench;
  const unlock = async (...argv: string[]) => {
    const { code, out, err } = await bench.run(["repo", "unlock", ...argv], {
      now: new Date(),
    });
    assertEquals(code, 0, err);
    return out;
  };
  assertEquals(await unlock(), "There are no locks\n");

  await lock(repository, 0x22, 0);
  await lock(repository, 0x11, LOCK_STALE_MS + 1_000);
  await Deno.writeTextFile(`${repository}/locks/${"33".repeat(32)}`, "no lock");
  assertEquals(await names(repository), ["11", "22", "33"]);

  const [result] = parseLines(await unlock("--log-format", "json"));
  const { removed, held } = result as Record<string, Record<string, unknown>[]>;
  assertEquals([removed?.map(({ host }) => host), held?.map(({ host }) => host)], [
    ["host-17"],
    ["host-34", undefined],
  ]);
  assertEquals(await names(repository), ["22", "33"]);
  const text = await unlock();
  assertMatch(text, /^Left, as it is held: shared lock 22222222 of host-34, renewed \d{4}-/);
  assertStringIncludes(text, "lock 33333333 which cannot be read");

  // A lock that nobody can read forbids every backup.
  const refused = await bench.run(["create"]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.err, '"repo unlock --force"');
  assertMatch(await unlock("--force"), /^Removed: .*22222222.*\nRemoved: .*33333333.*\n$/);
  assertEquals(await names(repository), []);
  const again = await bench.run(["create"]);
  assertEquals(again.code, 0, again.err);
});
