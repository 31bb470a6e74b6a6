import { assert, assertEquals, assertRejects } from "@std/assert";
import { CorruptionError, StoreError } from "../../../../src/kloset/mod.ts";
import {
  emptyBelowSummary,
  emptyDirectorySummary,
  encodeDirpackFrame,
  encodeSummary,
  type Mac,
  macsEqual,
  macToHex,
  ResourceType,
  resourceTypeName,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import type { BlobReader } from "../../../../src/kloset/packfile/mod.ts";
import { type NeededContent, walkSnapshot } from "../../../../src/kloset/snapshot/walk.ts";
import { noise } from "../../../faults/backups.ts";
import { BlobBench } from "../_blob_bench.ts";
import { addFileEntry, addIndex, addObject, addSource, headerOf } from "../_snapshot_bench.ts";
import { encodeErrorEntry, encodeXattrEntry } from "../format/_entries.ts";

const { CHUNK, SIGNATURE, SNAPSHOT, VFS_SUMMARY } = ResourceType;

function nameOf(type: number, id: Mac): string {
  return `${resourceTypeName(type)} ${macToHex(id)}`;
}

/** A snapshot with something of each kind that a snapshot can have. */
async function makeSnapshot() {
  const bench = await BlobBench.make();
  const file = addObject(bench, noise(100, 1), noise(50, 2));
  const entry = addFileEntry(bench, "a", file, 150);
  const version = VERSION_1_0_0;
  const attribute = addObject(bench, noise(30, 3));
  const xattr = bench.add(
    ResourceType.XATTR_ENTRY,
    encodeXattrEntry({ version, path: "/a", name: "user.x", size: 30, type: 0, object: attribute }),
  );
  const error = bench.add(
    ResourceType.ERROR_ENTRY,
    encodeErrorEntry({ version, name: "/b", error: "no" }),
  );
  const listing = addObject(
    bench,
    encodeDirpackFrame({
      isDirectory: false,
      entry: noise(20, 4),
      mac: bench.mac.of(noise(20, 4)),
    }),
  );
  const summary = bench.add(
    VFS_SUMMARY,
    encodeSummary({ directory: emptyDirectorySummary(), below: emptyBelowSummary() }),
  );
  const source = addSource(bench, {
    files: { "/a": entry },
    errors: { "/b": error },
    xattrs: { "/auser.x:": xattr },
    indexes: [
      addIndex(bench, "content-type", { "/application/octet-stream/a": entry }),
      addIndex(bench, "dirpack", { "/": listing }),
      addIndex(bench, "summary", { "/": summary }),
      addIndex(bench, "of a later version", { "/": new Uint8Array(32).fill(0x99) }),
    ],
  });
  const header = headerOf({
    sources: [source],
    identity: { identifier: new Uint8Array(16).fill(1), publicKey: undefined },
  });
  return { bench, header, file, entry, attribute, listing, summary };
}

Deno.test("walkSnapshot() tells every blob that there is, each under its kind", async () => {
  const { bench, header } = await makeSnapshot();
  using _ = bench;
  const told = new Set<string>();
  await walkSnapshot(bench.blobs, header, { blob: (type, id) => told.add(nameOf(type, id)) });
  // The header and its signature are not in the bench's packfile.
  const expected = new Set([
    ...bench.added.map(({ type, id }) => nameOf(type, id)),
    nameOf(SNAPSHOT, header.identifier),
    nameOf(SIGNATURE, header.identifier),
  ]);
  assertEquals([...told].sort(), [...expected].sort());
});

Deno.test("walkSnapshot() tells of no signature where nobody has signed", async () => {
  const { bench, header } = await makeSnapshot();
  using _ = bench;
  const types: number[] = [];
  const { identity } = headerOf();
  await walkSnapshot(bench.blobs, { ...header, identity }, { blob: (type) => types.push(type) });
  assert(!types.includes(SIGNATURE));
  assertEquals(types[0], SNAPSHOT);
});

Deno.test("walkSnapshot() gives each content, and reads no chunk itself", async () => {
  const { bench, header, file, attribute, listing } = await makeSnapshot();
  using _ = bench;
  const contents: Pick<NeededContent, "kind" | "path" | "id" | "size">[] = [];
  const blobs = {
    locate: (type: number, id: Mac) => bench.blobs.locate(type, id),
    read: (type: number, id: Mac) => {
      assert(type !== CHUNK);
      return bench.blobs.read(type, id);
    },
  };
  await walkSnapshot(blobs, header, {
    content: ({ kind, path, id, size, object }) => {
      assert(object.chunks.length > 0);
      contents.push({ kind, path, id, size });
      return Promise.resolve();
    },
  });
  assertEquals(contents, [
    { kind: "file", path: "/a", id: file, size: 150 },
    { kind: "xattr", path: "/auser.x:", id: attribute, size: 30 },
    { kind: "dirpack", path: "/", id: listing, size: undefined },
  ]);
});

Deno.test("walkSnapshot() tells what is missing and goes on, or ends with it", async () => {
  const { bench, header, file, entry, summary } = await makeSnapshot();
  using _ = bench;
  const damages: [path: string, message: string][] = [];
  const without = (...missing: Mac[]): Pick<BlobReader, "read" | "locate"> => ({
    locate: (type, id) => bench.blobs.locate(type, id),
    read: (type, id) =>
      missing.some((other) => macsEqual(other, id))
        ? Promise.reject(new CorruptionError(`${resourceTypeName(type)} is missing`))
        : bench.blobs.read(type, id),
  });
  await walkSnapshot(without(file, summary), header, {
    damage: (path, { message }) => damages.push([path, message]),
  });
  assertEquals(damages, [["/a", "OBJECT is missing"], ["/", "VFS_SUMMARY is missing"]]);
  const run = () => walkSnapshot(without(entry), header, {});
  await assertRejects(run, CorruptionError, "VFS_ENTRY is missing");
});

Deno.test("walkSnapshot() finds an entry of another path", async () => {
  const bench = await BlobBench.make();
  using _ = bench;
  const entry = addFileEntry(bench, "a", addObject(bench, noise(5, 1)), 5);
  const header = headerOf({ sources: [addSource(bench, { files: { "/b": entry } })] });
  await assertRejects(() => walkSnapshot(bench.blobs, header, {}), CorruptionError, '"/a"');
});

Deno.test("walkSnapshot() passes on what a visitor, the store or the signal fails with", async () => {
  const { bench, header } = await makeSnapshot();
  using _ = bench;
  const damages: string[] = [];
  const damage = (path: string) => damages.push(path);
  const failure = new Error("disk full");
  const content = () => Promise.reject(failure);
  assertEquals(
    await assertRejects(() => walkSnapshot(bench.blobs, header, { content, damage })),
    failure,
  );
  const signal = AbortSignal.abort(failure);
  assertEquals(
    await assertRejects(() => walkSnapshot(bench.blobs, header, { damage }, signal)),
    failure,
  );
  bench.store.setPlan(() => ({ type: "fail" }));
  await assertRejects(() => walkSnapshot(bench.blobs, header, { damage }), StoreError, "Injected");
  assertEquals(damages, []);
});
