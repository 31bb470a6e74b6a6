import { assert, assertEquals, assertFalse, assertStringIncludes, fail } from "@std/assert";
import { createHmac } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import {
  BlobIndex,
  type CachedIndex,
  IndexCache,
  type IndexCacheOptions,
} from "../../../../src/kloset/index/mod.ts";
import { macToHex } from "../../../../src/kloset/format/mod.ts";

const PACKFILE = 4;
const SNAPSHOT = 5;
const CHUNK = 9;

const REPOSITORY = "0b2f6a52-6a3e-4c84-9a0f-5d1e8f2f7c11";
const STATES = new Set(["aa".repeat(32), "0b".repeat(32)]);

/** More than two pages of locations. */
const MANY = 40_000;

function mac(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", "key").update(bytes).digest());
}

function testMac(n: number): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 8; i++) view.setUint32(i * 4, Math.imul(n * 8 + i + 1, 0x9e3779b1));
  return bytes;
}

/** Chunks 0 to count in packfiles of 1000, and the header of snapshot -1 in packfile -1. */
function sampleIndex(count: number): BlobIndex {
  const index = new BlobIndex();
  index.addPackfile(testMac(-1000), 5n);
  index.addLocation(SNAPSHOT, testMac(-1), 0, testMac(-1000), 0, 7, 8);
  for (let n = 0; n < count; n++) addChunk(index, n);
  return index;
}

function addChunk(index: BlobIndex, n: number): void {
  const packfile = testMac(-1001 - Math.floor(n / 1000));
  index.addPackfile(packfile, BigInt(n));
  index.addLocation(CHUNK, testMac(n), 0, packfile, 0, n * 3, n);
}

function assertSample(index: BlobIndex, count: number): void {
  assertEquals(index.snapshotIds(), [testMac(-1)]);
  assertEquals(index.locationCount, count + 1);
  for (let n = 0; n < count; n++) {
    const offset = index.find(CHUNK, testMac(n))?.offset;
    if (offset !== n * 3) fail(`Chunk ${n} was found at ${offset}`); // assertEquals() is slow
  }
  assertFalse(index.has(CHUNK, testMac(count)));
}

const LOCATION = "fs:///backups";
const FILE = `${REPOSITORY}-${
  macToHex(mac(new TextEncoder().encode(LOCATION))).slice(0, 16)
}.sqlite3`;

/** A directory, caches in it, and the warnings of each. */
class Bench implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "index-cache-test-" });
  readonly path = `${this.directory}/${FILE}`;
  readonly #caches: IndexCache[] = [];

  cache(options: Partial<IndexCacheOptions> = {}): { cache: IndexCache; warnings: string[] } {
    const warnings: string[] = [];
    const cache = new IndexCache({
      directory: this.directory,
      repositoryId: REPOSITORY,
      location: LOCATION,
      mac,
      onWarning: (message) => warnings.push(message),
      ...options,
    });
    this.#caches.push(cache);
    return { cache, warnings };
  }

  /** Saves a sample index as a process of its own would. */
  fill(count: number): void {
    const { cache } = this.cache();
    cache.putHeader(testMac(-1), new Uint8Array([1, 2, 3]));
    assert(cache.save(contentsOf(sampleIndex(count))));
    cache.close();
  }

  [Symbol.dispose](): void {
    for (const cache of this.#caches) cache.close();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function contentsOf(index: BlobIndex): CachedIndex {
  return { index, stateIds: STATES, extra: '{"latest":1}' };
}

function loadSummary(cache: IndexCache): CachedIndex {
  return cache.load() ?? fail("Nothing was loaded");
}

function loadAll(cache: IndexCache): CachedIndex {
  const loaded = loadSummary(cache);
  assert(cache.complete(loaded.index), "The pages were not loaded");
  return loaded;
}

/** Asserts that the cache behaves as if there were none, after exactly this warning. */
function assertAbsent(
  { cache, warnings }: { cache: IndexCache; warnings: string[] },
  warning: string,
): void {
  const index = sampleIndex(1);
  assertEquals(cache.load(), undefined);
  cache.putHeader(testMac(-1), new Uint8Array(1));
  assertFalse(cache.save(contentsOf(index)));
  assertEquals(headerOf(cache, testMac(-1)), undefined);
  assertFalse(cache.complete(BlobIndex.fromSummary(index.summary())));
  cache.invalidate();
  assertEquals(warnings.length, 1, warnings.join("\n"));
  assertStringIncludes(warnings[0] ?? "", warning);
}

Deno.test("IndexCache gives back what was saved", () => {
  using bench = new Bench();
  const { cache, warnings } = bench.cache();
  const index = sampleIndex(MANY);
  index.colour(PACKFILE, testMac(-1001), 9n);
  assert(cache.save(contentsOf(index)));
  const other = bench.cache();
  const loaded = loadSummary(other.cache);
  assertEquals(loaded.stateIds, STATES);
  assertEquals(loaded.extra, '{"latest":1}');
  assertFalse(loaded.index.complete);
  assertEquals(loaded.index.snapshotIds(), [testMac(-1)]);
  assert(other.cache.complete(loaded.index));
  assert(loaded.index.complete);
  assertEquals(loaded.index.colouredAt(PACKFILE, testMac(-1001)), 9n);
  loaded.index.uncolour(PACKFILE, testMac(-1001));
  assertSample(loaded.index, MANY);
  assertEquals(loaded.index.dirtyPages.size, 0);
  assertEquals([...warnings, ...other.warnings], []);
});

Deno.test("IndexCache.load() finds nothing where nothing was saved, and creates nothing", () => {
  using bench = new Bench();
  const directory = `${bench.directory}/missing`;
  const { cache, warnings } = bench.cache({ directory });
  assertEquals(cache.load(), undefined);
  assertEquals(headerOf(cache, testMac(1)), undefined);
  assertFalse(cache.complete(BlobIndex.fromSummary(new BlobIndex().summary())));
  cache.invalidate();
  assertEquals([...Deno.readDirSync(bench.directory)], []);
  assertEquals(warnings, []);
});

Deno.test("IndexCache.save() takes an empty index, and a file without content is no error", () => {
  using bench = new Bench();
  Deno.writeFileSync(bench.path, new Uint8Array());
  const { cache, warnings } = bench.cache();
  assertEquals(cache.load(), undefined);
  assertEquals(headerOf(cache, testMac(1)), undefined);
  assert(cache.save(contentsOf(new BlobIndex())));
  const loaded = bench.cache().cache.load();
  assertEquals(loaded?.index.locationCount, 0);
  assertEquals(warnings, []);
});

Deno.test({
  name: "IndexCache keeps directory and file from other users",
  ignore: Deno.build.os === "windows", // no permission bits there
  fn: () => {
    using bench = new Bench();
    const directory = `${bench.directory}/a/b`;
    assert(bench.cache({ directory }).cache.save(contentsOf(sampleIndex(1))));
    const mode = (path: string) => (Deno.statSync(path).mode ?? 0) & 0o777;
    assertEquals(mode(directory), 0o700);
    assertEquals(mode(`${bench.directory}/a`), 0o700);
    assertEquals(mode(`${directory}/${FILE}`), 0o600);
    assertEquals([...Deno.readDirSync(directory)].length, 1);
  },
});

Deno.test("IndexCache.save() writes only pages that changed", () => {
  using bench = new Bench();
  bench.fill(MANY);
  const { cache } = bench.cache();
  const loaded = loadAll(cache);

  // Changed behind its back: a page that is not saved again stays so.
  const database = new DatabaseSync(bench.path);
  database.exec("UPDATE page SET bytes = x'00'");
  addChunk(loaded.index, MANY);
  assert(cache.save(loaded));
  const lengths = database.prepare("SELECT length(bytes) AS n FROM page ORDER BY number").all();
  database.close();
  assertEquals(lengths.map(({ n }) => n === 1), [true, true, false]);
});

Deno.test("IndexCache.save() leaves the file alone when nothing changed", () => {
  using bench = new Bench();
  bench.fill(100);
  const before = Deno.readFileSync(bench.path);
  const { cache } = bench.cache();
  const loaded = loadSummary(cache);
  assert(cache.save(loaded));
  assert(cache.complete(loaded.index));
  addChunk(loaded.index, 5); // known already
  assert(cache.save({ ...loaded, stateIds: new Set([...STATES].reverse()) }));
  assertEquals(Deno.readFileSync(bench.path), before);
});

Deno.test("IndexCache.save() saves each change again, without loading in between", () => {
  using bench = new Bench();
  const { cache } = bench.cache();
  const index = sampleIndex(10);
  assert(cache.save(contentsOf(index)));
  for (let n = 10; n < 13; n++) {
    addChunk(index, n);
    assert(cache.save(contentsOf(index)));
    const loaded = loadAll(bench.cache().cache);
    assertSample(loaded.index, n + 1);
  }
});

Deno.test("IndexCache.save() keeps the pages of an index that is not complete", () => {
  using bench = new Bench();
  bench.fill(MANY);
  const { cache } = bench.cache();
  const loaded = loadSummary(cache);
  loaded.index.colour(SNAPSHOT, testMac(-1), 1n);
  const stateIds = new Set([...STATES, "cc".repeat(32)]);
  assert(cache.save({ ...loaded, stateIds }));

  const again = loadAll(bench.cache().cache);
  assertEquals(again.stateIds, stateIds);
  assertEquals(again.index.snapshotIds(), []);
  again.index.uncolour(SNAPSHOT, testMac(-1));
  assertSample(again.index, MANY);

  const foreign = BlobIndex.fromSummary(sampleIndex(3).summary());
  assertFalse(cache.save(contentsOf(foreign)), "its pages are nowhere");
});

Deno.test("IndexCache.save() replaces a larger index and drops its last pages", () => {
  using bench = new Bench();
  bench.fill(MANY);
  const { cache } = bench.cache();
  assert(cache.load() !== undefined);
  assert(cache.save(contentsOf(sampleIndex(20))));
  const database = new DatabaseSync(bench.path);
  assertEquals(database.prepare("SELECT count(*) AS n FROM page").get()?.n, 1);
  database.close();
  const loaded = loadAll(bench.cache().cache);
  assertSample(loaded.index, 20);
});

Deno.test("IndexCache keeps headers, until their snapshot is gone", () => {
  using bench = new Bench();
  const { cache } = bench.cache();
  const index = sampleIndex(1);
  const header = new Uint8Array([5, 6, 7]);
  cache.putHeader(testMac(-1), header);
  assertEquals(headerOf(cache, testMac(-1)), header, "before it is saved");
  assert(cache.save(contentsOf(index)));
  assertEquals(headerOf(cache, testMac(-1)), header);
  assertEquals(headerOf(bench.cache().cache, testMac(-1)), header);
  assertEquals(headerOf(bench.cache().cache, testMac(-2)), undefined);

  index.colour(SNAPSHOT, testMac(-1), 1n);
  assert(cache.save(contentsOf(index)));
  assertEquals(headerOf(cache, testMac(-1)), undefined);
  assertEquals(headerOf(bench.cache().cache, testMac(-1)), undefined);
});

Deno.test("IndexCache.save() leaves the index of a process that saved in between", () => {
  using bench = new Bench();
  bench.fill(10);
  const first = bench.cache();
  const second = bench.cache();
  const mine = loadAll(first.cache);
  const theirs = loadAll(second.cache);
  addChunk(theirs.index, 10);
  assert(second.cache.save(theirs));

  mine.index.deletePackfile(testMac(-1001));
  first.cache.putHeader(testMac(-1), new Uint8Array([9]));
  assertFalse(first.cache.save(mine));
  assertFalse(first.cache.save(mine), "nor later");

  const third = bench.cache().cache;
  const loaded = loadAll(third);
  assertSample(loaded.index, 11);
  assertEquals(headerOf(third, testMac(-1)), new Uint8Array([9]), "headers hold for any index");
  assertEquals([...first.warnings, ...second.warnings], []);
});

Deno.test("IndexCache.save() does not mistake a file made anew for the one it loaded", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache } = bench.cache();
  const loaded = loadAll(cache);
  bench.cache().cache.invalidate();
  bench.fill(20);
  addChunk(loaded.index, 10);
  cache.save(loaded); // to the file that was removed, or not at all

  const again = loadAll(bench.cache().cache);
  assertSample(again.index, 20);
});

Deno.test("IndexCache.save() of two processes that found no file keeps one index whole", () => {
  using bench = new Bench();
  const first = bench.cache().cache;
  const second = bench.cache().cache;
  assertEquals(first.load(), undefined);
  assertEquals(second.load(), undefined);
  assert(first.save(contentsOf(sampleIndex(10))));
  assertFalse(second.save(contentsOf(sampleIndex(20))));
  const loaded = loadAll(bench.cache().cache);
  assertSample(loaded.index, 10);
});

Deno.test("IndexCache.complete() refuses the pages of another save, quietly", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache, warnings } = bench.cache();
  const loaded = loadSummary(cache);
  const other = bench.cache().cache;
  const theirs = loadAll(other);
  addChunk(theirs.index, 10);
  assert(other.save(theirs));

  assertFalse(cache.complete(loaded.index));
  assertFalse(loaded.index.complete);
  assertEquals(loaded.index.snapshotIds(), [testMac(-1)]);
  const again = loadAll(cache);
  assertSample(again.index, 11);
  assertEquals(warnings, []);
});

Deno.test("IndexCache.invalidate() forgets what was saved, and the next save starts anew", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache, warnings } = bench.cache();
  assert(cache.load() !== undefined);
  cache.invalidate();
  assertEquals(cache.load(), undefined);
  assertEquals(headerOf(cache, testMac(-1)), undefined);
  assertEquals(bench.cache().cache.load(), undefined);
  assert(cache.save(contentsOf(sampleIndex(20))));
  const loaded = loadAll(cache);
  assertSample(loaded.index, 20);
  assertEquals(warnings, []);
});

Deno.test("IndexCache behaves as absent once it is closed", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache, warnings } = bench.cache();
  cache.close();
  cache.close();
  assertEquals(cache.load(), undefined);
  assertFalse(cache.save(contentsOf(sampleIndex(1))));
  cache.invalidate();
  assert(bench.cache().cache.load() !== undefined);
  assertEquals(warnings, []);
});

Deno.test("IndexCache says once that its directory cannot be made", () => {
  using bench = new Bench();
  Deno.writeTextFileSync(`${bench.directory}/file`, "");
  const { cache, warnings } = bench.cache({ directory: `${bench.directory}/file/caches` });
  assertFalse(cache.save(contentsOf(sampleIndex(1))));
  assertAbsent({ cache, warnings }, "Cannot use the index cache");
});

Deno.test({
  name: "IndexCache says once that it may not write",
  permissions: { read: true, write: false },
  fn: () => {
    const warnings: string[] = [];
    using cache = new IndexCache({
      directory: "/nonexistent/caches",
      repositoryId: REPOSITORY,
      location: LOCATION,
      mac,
      onWarning: (message) => warnings.push(message),
    });
    assertFalse(cache.save(contentsOf(sampleIndex(1))));
    assertAbsent({ cache, warnings }, "write access");
  },
});

Deno.test("IndexCache says once that the file cannot be opened", () => {
  using bench = new Bench();
  Deno.mkdirSync(bench.path);
  assertAbsent(bench.cache(), "unable to open");
});

Deno.test("IndexCache says once that the repository id is no file name", () => {
  using bench = new Bench();
  assertAbsent(bench.cache({ repositoryId: "../x" }), "file name");
});

Deno.test("IndexCache says once that there is no room, and keeps what was saved before", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache, warnings } = bench.cache({ maximumBytes: 1024 ** 2 });
  const loaded = loadAll(cache);
  for (let n = 10; n < MANY; n++) addChunk(loaded.index, n);
  assertFalse(cache.save(loaded));
  assertSample(loaded.index, MANY);
  assertAbsent({ cache, warnings }, "full");

  const again = loadAll(bench.cache().cache);
  assertSample(again.index, 10);
});

Deno.test("IndexCache leaves a file of a newer version alone", () => {
  using bench = new Bench();
  bench.fill(10);
  const database = new DatabaseSync(bench.path);
  database.exec("PRAGMA user_version = 2");
  database.close();
  const before = Deno.readFileSync(bench.path);
  assertAbsent(bench.cache(), "newer");
  assertEquals(Deno.readFileSync(bench.path), before);
});

Deno.test("IndexCache waits for a lock only so long", () => {
  using bench = new Bench();
  bench.fill(10);
  const database = new DatabaseSync(bench.path);
  database.exec("BEGIN EXCLUSIVE");
  assertAbsent(bench.cache({ busyTimeoutMs: 20 }), "locked");
  database.exec("ROLLBACK");
  const { cache, warnings } = bench.cache({ busyTimeoutMs: 20 });
  const loaded = loadAll(cache);
  addChunk(loaded.index, 10);
  database.exec("BEGIN IMMEDIATE");
  assertFalse(cache.save(loaded));
  database.close();
  assertAbsent({ cache, warnings }, "locked");
  assert(bench.cache().cache.load() !== undefined);
});

Deno.test("IndexCache takes no lock for damage, whatever meets it first", async (t) => {
  const uses: Record<string, (cache: IndexCache) => unknown> = {
    load: (cache) => cache.load(),
    save: (cache) => cache.save(contentsOf(sampleIndex(1))),
    getHeaders: (cache) => headerOf(cache, testMac(-1)),
    invalidate: (cache) => cache.invalidate(),
  };
  for (const [name, use] of Object.entries(uses)) {
    await t.step(name, () => {
      using bench = new Bench();
      bench.fill(10);
      const database = new DatabaseSync(bench.path);
      database.exec("BEGIN EXCLUSIVE");
      const { cache, warnings } = bench.cache({ busyTimeoutMs: 1 });
      use(cache);
      database.exec("ROLLBACK");
      database.close();
      assertEquals(warnings.length, 1);
      assertStringIncludes(warnings[0] ?? "", "locked");
      assertSample(loadAll(bench.cache().cache).index, 10);
    });
  }
});

/** Ways to damage a whole file, and a part of the warning. */
const DAMAGES: readonly { name: string; damage: (path: string) => void; warning: string }[] = [
  {
    name: "a file that is no database",
    damage: (path) => Deno.writeFileSync(path, new Uint8Array(5000).fill(65)),
    warning: "not a database",
  },
  {
    name: "a database of something else",
    damage: (path) => {
      Deno.removeSync(path);
      execute(path, "PRAGMA user_version = 1; CREATE TABLE notes (id)");
    },
    warning: "damaged",
  },
  {
    name: "the cache of another repository",
    damage: (path) => execute(path, "UPDATE head SET repository = 'other'"),
    warning: "another repository",
  },
  {
    name: "changed extra information",
    damage: (path) => execute(path, "UPDATE head SET extra = '{}'"),
    warning: "checksum",
  },
  {
    name: "a lost state id",
    damage: (path) => execute(path, "UPDATE head SET states = substr(states, 33)"),
    warning: "checksum",
  },
  {
    name: "a checksum of another key",
    damage: (path) => execute(path, "UPDATE head SET checksum = zeroblob(32)"),
    warning: "checksum",
  },
  {
    name: "a number where bytes belong",
    damage: (path) => execute(path, "UPDATE head SET packfiles = 7"),
    warning: "not a blob",
  },
  {
    name: "a generation that is no safe integer",
    damage: (path) => execute(path, "UPDATE head SET generation = 9223372036854775807"),
    warning: "damaged",
  },
  {
    name: "a version that never was",
    damage: (path) => execute(path, "PRAGMA user_version = -1"),
    warning: "version",
  },
  {
    name: "a page of zeros",
    damage: (path) => execute(path, "UPDATE page SET bytes = zeroblob(length(bytes))"),
    warning: "page 0",
  },
  {
    name: "exchanged pages",
    damage: (path) =>
      execute(path, "UPDATE page SET bytes = (SELECT bytes FROM page AS p WHERE p.number = 1)"),
    warning: "page 0",
  },
  {
    name: "a missing page",
    damage: (path) => execute(path, "DELETE FROM page WHERE number = 2"),
    warning: "missing",
  },
  {
    name: "another header's bytes",
    damage: (path) => execute(path, "UPDATE header SET bytes = x'01'"),
    warning: "header",
  },
];

function execute(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function headerOf(cache: IndexCache, id: Uint8Array): Uint8Array | undefined {
  return cache.getHeaders([id])[0];
}

/** All that the cache has; undefined for what it does not give. */
function readAll(cache: IndexCache) {
  const loaded = cache.load();
  const complete = loaded !== undefined && cache.complete(loaded.index);
  return { loaded, complete, header: headerOf(cache, testMac(-1)) };
}

Deno.test("IndexCache reports, removes and remakes a damaged file", async (t) => {
  for (const { name, damage, warning } of DAMAGES) {
    await t.step(name, () => {
      using bench = new Bench();
      bench.fill(MANY);
      damage(bench.path);
      const { cache, warnings } = bench.cache();
      const { complete, header } = readAll(cache);
      assertFalse(complete && header !== undefined);
      assertEquals(warnings.length, 1, warnings.join("\n"));
      assertStringIncludes(warnings[0] ?? "", warning);
      assertStringIncludes(warnings[0] ?? "", "damaged and is removed");
      assertEquals([...Deno.readDirSync(bench.directory)], []);

      assert(cache.save(contentsOf(sampleIndex(20))));
      assertEquals(warnings.length, 1);
      const other = bench.cache();
      assertSample(loadAll(other.cache).index, 20);
      assertEquals(other.warnings, []);
    });
  }
});

Deno.test("IndexCache never believes bytes changed anywhere in the file", () => {
  const COUNT = 20_000; // two pages
  using source = new Bench();
  source.fill(COUNT);
  const sound = Deno.readFileSync(source.path);
  const PAGE = 32 * 1024;
  const position = fc.oneof(
    fc.nat({ max: sound.length - 1 }),
    fc.nat({ max: 200 }),
    // Where SQLite keeps its own structures: the starts and ends of pages.
    fc.tuple(fc.nat({ max: sound.length / PAGE - 1 }), fc.integer({ min: -64, max: 64 })).map(
      ([page, distance]) => Math.max(0, page * PAGE + distance),
    ),
  );
  const change = fc.record({
    bytes: fc.array(fc.tuple(position, fc.nat({ max: 255 })), { minLength: 1, maxLength: 12 }),
    length: fc.oneof(
      { arbitrary: fc.constant(sound.length), weight: 4 },
      fc.nat({ max: sound.length }),
    ),
  });
  let believed = 0;
  let refused = 0;
  fc.assert(
    fc.property(change, ({ bytes, length }) => {
      using bench = new Bench();
      const file = sound.slice(0, length);
      for (const [at, value] of bytes) if (at < length) file[at] = value;
      Deno.writeFileSync(bench.path, file);

      const { cache, warnings } = bench.cache();
      const { loaded, complete, header } = readAll(cache);
      if (loaded !== undefined) {
        assertEquals(loaded.stateIds, STATES);
        assertEquals(loaded.extra, '{"latest":1}');
        assertEquals(loaded.index.snapshotIds(), [testMac(-1)]);
      }
      if (header !== undefined) assertEquals(header, new Uint8Array([1, 2, 3]));
      if (loaded !== undefined && complete) {
        believed++;
        assertSample(loaded.index, COUNT);
      } else {
        refused++;
        // Without a warning only where the file passes for an empty one.
        if (warnings.length === 0) assertEquals([loaded, header], [undefined, undefined]);
      }

      // Whatever a save makes of the file, it is not believed wrongly either.
      const next = complete && loaded !== undefined ? loaded.index : sampleIndex(COUNT);
      addChunk(next, COUNT);
      cache.save({ index: next, stateIds: STATES, extra: "2" });
      cache.close();
      const after = readAll(bench.cache().cache);
      if (after.loaded !== undefined && after.complete) {
        assertSample(after.loaded.index, after.loaded.extra === "2" ? COUNT + 1 : COUNT);
      }
    }),
    {
      numRuns: 80,
      // One of each kind, so that neither depends on what is drawn.
      examples: [
        [{ bytes: [], length: sound.length }],
        [{ bytes: [], length: sound.length - 1 }],
      ],
    },
  );
  assert(believed > 0 && refused > 0, `believed ${believed}, refused ${refused}`);
});

Deno.test("IndexCache keeps copies of a repository at other places apart", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache } = bench.cache({ location: "fs:///copy" });
  assertEquals(cache.load(), undefined);
  assert(cache.save(contentsOf(sampleIndex(3))));
  assertEquals(bench.cache().cache.load()?.index.locationCount, sampleIndex(10).locationCount);
  const copy = bench.cache({ location: "fs:///copy" }).cache;
  assertEquals(copy.load()?.index.locationCount, sampleIndex(3).locationCount);
});

Deno.test("IndexCache keeps suspects between runs, whoever has saved meanwhile", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache } = bench.cache();
  const loaded = cache.load()!;
  assertEquals(cache.getSuspects(), []);
  assertFalse(cache.hasNews);
  bench.cache().cache.save(contentsOf(sampleIndex(20)));
  cache.putSuspect(testMac(7));
  assert(cache.hasNews);
  assertEquals(cache.getSuspects(), [testMac(7)]);
  cache.save(loaded);
  assertFalse(cache.hasNews);
  assertEquals(bench.cache().cache.getSuspects(), [testMac(7)]);
  const other = bench.cache().cache;
  other.load();
  other.invalidate();
  assertEquals(bench.cache().cache.getSuspects(), []);
});

Deno.test("IndexCache relies on no suspect that it has not written", () => {
  using bench = new Bench();
  bench.fill(10);
  const { cache } = bench.cache();
  cache.putSuspect(testMac(7));
  cache.save(cache.load()!);
  execute(bench.path, "UPDATE suspect SET checksum = zeroblob(32)");
  const { cache: next, warnings } = bench.cache();
  assertEquals(next.getSuspects(), []);
  assertEquals(warnings.length, 1);
});
