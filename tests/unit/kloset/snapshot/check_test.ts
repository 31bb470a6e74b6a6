import { assert, assertEquals, assertRejects } from "@std/assert";
import { CheckMemo, type Repository, StoreError } from "../../../../src/kloset/mod.ts";
import {
  backUp,
  createWith,
  noise,
  openSmall,
  smallConfiguration,
} from "../../../faults/backups.ts";
import { FaultyStore } from "../../../faults/faulty_store.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";

const FILES = { "/a": noise(20_000, 1), "/b": noise(3000, 2) };
const BYTES = 23_000;

/** Two snapshots of the same files, in packfiles of structures apart from those of chunks. */
async function make() {
  const memory = new MemoryStore();
  const store = new FaultyStore(memory);
  await createWith(store, smallConfiguration());
  const repository = await openSmall(store);
  const ids = [await backUp(repository, FILES), await backUp(repository, FILES)] as const;
  const [chunks] = [...memory.objects.packfile].sort(([, a], [, b]) => b.length - a.length);
  return { memory, store, repository, ids, chunks: chunks! };
}

async function check(
  repository: Repository,
  id: string,
  options: { fast?: boolean; memo?: CheckMemo } = {},
) {
  let verified = 0;
  const reader = await repository.inspectSnapshot(id);
  const damages = await reader.check({ ...options, onProgress: (bytes) => verified += bytes });
  return { damages, verified };
}

Deno.test("checkSnapshot() reads every content once, and nothing again that a memo knows", async () => {
  const { store, repository, ids } = await make();
  await using _ = repository;
  const memo = new CheckMemo();
  assertEquals(await check(repository, ids[0], { memo }), { damages: [], verified: BYTES });
  assertEquals(memo.objects.size, 2);
  // The second snapshot has the same objects.
  assertEquals(await check(repository, ids[1], { memo }), { damages: [], verified: 0 });
  assertEquals(await check(repository, ids[1]), { damages: [], verified: BYTES });
  // A fast check asks for the packfiles' lengths, once each.
  const sizesAsked = async (run: Promise<unknown>, before = store.operations.length) => {
    await run;
    return store.operations.slice(before).filter(({ method }) => method === "size").length;
  };
  const fast = new CheckMemo();
  const first = await sizesAsked(check(repository, ids[0], { fast: true, memo: fast }));
  const second = await sizesAsked(check(repository, ids[0], { fast: true, memo: fast }));
  assert(first > second, `${first}, then ${second}`);
  assertEquals(second, 1, "the header's packfile, to open the snapshot");
});

Deno.test("checkSnapshot() names path, chunk and packfile of each damage, and goes on", async () => {
  const { memory, repository, ids, chunks: [packfile, bytes] } = await make();
  await using _ = repository;
  memory.objects.packfile.set(packfile, bytes.with(500, bytes[500]! ^ 1));
  const { damages } = await check(repository, ids[0]);
  assertEquals(damages.map(({ path, packfile }) => [path, packfile]), [["/a", packfile]]);
  assertEquals(damages[0]!.snapshot, ids[0]);
  assert(/^[0-9a-f]{64}$/.test(damages[0]!.chunk!));
  // Flipped bits are not what a fast check looks for.
  assertEquals((await check(repository, ids[0], { fast: true })).damages, []);

  memory.objects.packfile.set(packfile, bytes.slice(0, 10_000));
  // Of `/`, the listing is damaged: it lies among the chunks, and is read by every check.
  const ofFiles = async (options: { fast?: boolean }) =>
    (await check(repository, ids[0], options)).damages.filter(({ path }) => path !== "/");
  const fast = await ofFiles({ fast: true });
  assert(fast.length > 10);
  assert(fast.every(({ message }) => message === `Packfile ${packfile} is cut short`));
  assertEquals(new Set(fast.map(({ path }) => path)), new Set(["/a", "/b"]));

  memory.objects.packfile.delete(packfile);
  for (const options of [{ fast: true }, {}]) {
    const damages = await ofFiles(options);
    assertEquals(new Set(damages.map(({ path }) => path)), new Set(["/a", "/b"]));
    assert(damages.every(({ message }) => message.includes("is missing")), damages[0]?.message);
  }
});

Deno.test("checkSnapshot() says nothing where the store fails", async () => {
  const { store, repository, ids } = await make();
  await using _ = repository;
  const reader = await repository.inspectSnapshot(ids[0]);
  store.setPlan(() => ({ type: "fail" }));
  for (const fast of [true, false]) {
    await assertRejects(() => reader.check({ fast }), StoreError, "Injected");
  }
});
