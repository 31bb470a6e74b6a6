/**
 * Makes the golden repositories of `tests/fixtures/golden/` with the real plakar, and with a client
 * of the 1.0 library: one `NAME.tar.gz` per repository and `NAME.json` beside it, which says what is
 * in it by what was given to plakar, not by what our reader finds.
 *
 * ```sh
 * deno run -A scripts/golden_fixtures.ts [NAME…]
 * ```
 *
 * Ids, keys and padding are random, so a new run gives other bytes; the fixtures are made again only
 * to add something. `tests/fixtures/README.md` describes each.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { packTar } from "modern-tar";
import { configureRepository } from "../tests/interop/configure.ts";
import { Plakar } from "../tests/interop/plakar.ts";
import { prose, randomBytes } from "../tests/interop/content.ts";
import { installPeer, PLAKAR_VERSION } from "./peers.ts";

/** One entry of a golden snapshot. */
export interface GoldenEntry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** Permission bits. */
  readonly mode: number;
  /** Bytes of a regular file. */
  readonly size?: number;
  /** Of a regular file's content, hex. */
  readonly sha256?: string;
  /** Where a symlink points. */
  readonly target?: string;
  /** Seconds since 1970, where the time was set beforehand. */
  readonly mtime?: number;
}

/** One snapshot of a golden repository. */
export interface GoldenSnapshot {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly importer: { readonly type: string; readonly directory: string };
  readonly entries: readonly GoldenEntry[];
  /** Paths of recorded errors: what could not be read when the snapshot was made. */
  readonly errors?: readonly string[];
}

/** What a golden repository is expected to hold. */
export interface Golden {
  readonly producer: string;
  readonly passphrase?: string;
  readonly compression: "LZ4" | "GZIP" | null;
  readonly hashing: "BLAKE3" | "SHA256";
  /** Versions found among the state files. */
  readonly stateVersions: readonly string[];
  /** Ids of snapshots that were removed. */
  readonly removed: readonly string[];
  readonly snapshots: readonly GoldenSnapshot[];
}

/** A folder whose path stays in the fixtures, so it is the same wherever they are made. */
const STAGE = "/tmp/kloset-golden";
const SOURCE = `${STAGE}/source`;
const OUTPUT = new URL("../tests/fixtures/golden/", import.meta.url);
const PLAKAR_PRODUCER = `plakar ${PLAKAR_VERSION}`;
const KLOSET_1_0_PRODUCER = "kloset v1.0.12 (tests/interop/kloset_1_0)";

/** 2024-05-06T07:08:09Z. */
const MTIME = 1714979289;

const encoder = new TextEncoder();

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * Small padding, and several chunks in files of some 10 KiB.
 *
 * Every packfile begins and ends with random bytes, up to the least chunk size each: with plakar's
 * 512 KiB no fixture would be small.
 */
const SMALL_CHUNKS: [number, number, number] = [2048, 8192, 32768];

// ---- sources -----------------------------------------------------------------------------------

type SourceEntry =
  | { path: string; content: Uint8Array | string; mode?: number }
  | { path: string; directory: true; mode?: number }
  | { path: string; target: string };

/** Lays out {@link SOURCE} anew. */
async function stage(entries: readonly SourceEntry[]): Promise<void> {
  await Deno.remove(SOURCE, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(SOURCE, { recursive: true });
  await Deno.chmod(SOURCE, 0o755);
  for (const entry of entries) {
    const path = `${SOURCE}/${entry.path}`;
    if ("target" in entry) {
      await Deno.symlink(entry.target, path);
    } else if ("directory" in entry) {
      await Deno.mkdir(path);
      await Deno.chmod(path, entry.mode ?? 0o755);
    } else {
      const { content } = entry;
      await Deno.writeFile(path, typeof content === "string" ? encoder.encode(content) : content);
      await Deno.chmod(path, entry.mode ?? 0o644);
    }
  }
  // Deepest first: writing into a directory changes its time.
  for (const entry of entries.toReversed()) {
    if (!("target" in entry)) await Deno.utime(`${SOURCE}/${entry.path}`, MTIME, MTIME);
  }
  await Deno.utime(SOURCE, MTIME, MTIME);
}

/** What a snapshot of {@link SOURCE} holds now: the tree itself and the directories above it. */
async function expectedTree(): Promise<GoldenEntry[]> {
  const entries: GoldenEntry[] = [];
  for (const path of ["/", "/tmp", STAGE]) {
    const { mode } = await Deno.lstat(path);
    entries.push({ path, type: "directory", mode: (mode ?? 0) & 0o777 });
  }
  const visit = async (path: string): Promise<void> => {
    const info = await Deno.lstat(path);
    const mode = (info.mode ?? 0) & 0o777;
    const mtime = MTIME;
    if (info.isSymlink) {
      entries.push({ path, type: "symlink", mode, target: await Deno.readLink(path) });
    } else if (info.isFile) {
      const content = await Deno.readFile(path);
      const { length: size } = content;
      entries.push({ path, type: "file", mode, size, sha256: sha256(content), mtime });
    } else {
      entries.push({ path, type: "directory", mode, mtime });
      const names = Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
      for (const name of names) await visit(`${path}/${name}`);
    }
  };
  await visit(SOURCE);
  return entries;
}

function expectedStream(path: string, content: Uint8Array): GoldenEntry[] {
  return [
    { path: "/", type: "directory", mode: 0o755 },
    { path, type: "file", mode: 0o644, size: content.length, sha256: sha256(content) },
  ];
}

/** Names in many scripts, every kind of entry, several modes. */
const MIXED_TREE: readonly SourceEntry[] = [
  { path: "empty", content: "" },
  { path: "one byte", content: "x", mode: 0o600 },
  { path: "executable", content: "#!/bin/sh\nexit 0\n", mode: 0o755 },
  { path: "prose.txt", content: prose(60_000, 1) },
  { path: "noise.bin", content: randomBytes(5_000, 2), mode: 0o640 },
  { path: "link", target: "prose.txt" },
  { path: "dangling", target: "../nowhere/at all" },
  { path: "empty directory", directory: true, mode: 0o700 },
  { path: "a", directory: true },
  { path: "a/b", directory: true },
  { path: "a/b/c", directory: true },
  { path: "a/b/c/deep", content: "deep\n" },
  { path: "a-b", content: "sorts between a and a/b by bytes\n" },
  { path: "Ümläut ß", content: "umlaut\n" },
  { path: "u\u0308 decomposed", content: "umlaut in two code points\n" },
  { path: "日本語", directory: true },
  { path: "日本語/ファイル", content: "CJK\n" },
  { path: "עברית", content: "right to left\n" },
  { path: "🦕🦖 \u{1F468}\u200D\u{1F469}", content: "outside the basic plane\n" },
  { path: "new\nline\ttab", content: "control characters\n" },
  { path: "quotes \" and \\ and ' and *", content: "shell\n" },
  { path: " leading and trailing ", content: "spaces\n" },
  { path: "-option", content: "dash\n" },
  { path: "n".repeat(255), content: "longest name\n" },
];

// ---- repositories ------------------------------------------------------------------------------

type Facts = Omit<Golden, "stateVersions">;

interface Workshop {
  readonly plakar: Plakar;
  readonly kloset10: string;
  /** Path of the repository to make. */
  readonly repository: string;
}

async function backupTree(
  { plakar, repository }: Workshop,
  name: string,
  tags: readonly string[] = [],
): Promise<GoldenSnapshot> {
  const id = await plakar.backup(repository, SOURCE, { name, tags });
  const importer = { type: "fs", directory: SOURCE };
  return { id, name, tags, importer, entries: await expectedTree() };
}

async function backupStream(
  { plakar, repository }: Workshop,
  file: string,
  content: Uint8Array,
  tags: readonly string[] = [],
): Promise<GoldenSnapshot> {
  const name = file;
  const id = await plakar.backupStream(repository, file, content, { name, tags });
  const importer = { type: "stdin", directory: "/" };
  return { id, name, tags, importer, entries: expectedStream(`/${file}`, content) };
}

function facts(snapshots: readonly GoldenSnapshot[], more: Partial<Facts> = {}): Facts {
  return {
    producer: PLAKAR_PRODUCER,
    compression: "LZ4",
    hashing: "BLAKE3",
    removed: [],
    snapshots,
    ...more,
  };
}

async function runClient(
  client: string,
  args: readonly string[],
  stdin: Uint8Array = new Uint8Array(),
): Promise<string> {
  const child = new Deno.Command(client, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  await ReadableStream.from([stdin]).pipeTo(child.stdin).catch((error) => {
    // The client may stop reading before the end, on purpose.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  });
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`${client} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout).trim();
}

async function runKloset10(
  { kloset10, repository }: Workshop,
  args: readonly string[],
  stdin?: Uint8Array,
): Promise<string> {
  return await runClient(kloset10, [repository, ...args], stdin);
}

/** Streams one component as infrahub-backup (Go) does. */
async function backupAsGoTool(
  workshop: Workshop,
  file: string,
  content: Uint8Array,
  tags: readonly string[],
): Promise<GoldenSnapshot> {
  const id = await runKloset10(workshop, ["stream", file, ...tags], content);
  const importer = { type: "infrahub", directory: "/" };
  return { id, name: file, tags, importer, entries: expectedStream(`/${file}`, content) };
}

function groupTags(group: string, component: string): string[] {
  return [
    `infrahub.backup-id=${group}`,
    `infrahub.component=${component}`,
    "infrahub.version=1.5.0",
    "infrahub.neo4j-edition=community",
  ];
}

/**
 * Makes a repository with plakar's own chunk sizes until it is small: padding is of random size, half
 * a mebibyte per packfile at the mean.
 */
async function untilSmall<T>(
  { repository }: Workshop,
  maxBytes: number,
  create: () => Promise<void>,
  fill: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; attempt < 1500; attempt++) {
    await create();
    const made = await fill();
    if (await sizeOf(repository) <= maxBytes) return made;
    await Deno.remove(repository, { recursive: true });
  }
  throw new Error(`No repository of at most ${maxBytes} bytes by chance`);
}

const MAKERS: Readonly<Record<string, (workshop: Workshop) => Promise<Facts>>> = {
  async mixed_tree(workshop) {
    const { plakar, repository } = workshop;
    await plakar.create(repository);
    await configureRepository(repository, { chunking: SMALL_CHUNKS });
    await stage(MIXED_TREE);
    return facts([await backupTree(workshop, "mixed", ["kind=tree", "naïve=✓"])]);
  },

  async deep_tree(workshop) {
    const { plakar, repository } = workshop;
    // Uncompressed, as the archive around it compresses better.
    await plakar.create(repository, { compression: false });
    await configureRepository(repository, { chunking: SMALL_CHUNKS });
    const entries: SourceEntry[] = [];
    for (let folder = 0; folder < 7; folder++) {
      entries.push({ path: `d${folder}`, directory: true });
      for (let file = 0; file < 200; file++) {
        entries.push({ path: `d${folder}/f${file}`, content: `${file % 10}\n` });
      }
    }
    let path = "chain";
    for (let level = 0; level < 40; level++) {
      entries.push({ path, directory: true });
      path += `/level${level}`;
    }
    entries.push({ path, content: "at the end of the chain\n" });
    await stage(entries);
    return facts([await backupTree(workshop, "deep")], { compression: null });
  },

  /** CONFIG as plakar makes it: its own chunk sizes, several chunks, a data and a metadata packfile. */
  async default_parameters(workshop) {
    const { plakar, repository } = workshop;
    const content = prose(2_600_000, 10, 16);
    const snapshot = await untilSmall(
      workshop,
      320_000,
      () => plakar.create(repository),
      () => backupStream(workshop, "prose.txt", content),
    );
    return facts([snapshot]);
  },

  async gzip(workshop) {
    const { plakar, repository } = workshop;
    await plakar.create(repository);
    await configureRepository(repository, { chunking: SMALL_CHUNKS, compression: "GZIP" });
    await stage(MIXED_TREE);
    const tree = await backupTree(workshop, "gzip");
    const stream = await backupStream(workshop, "dump", prose(60_000, 4));
    return facts([tree, stream], { compression: "GZIP" });
  },

  async no_compression(workshop) {
    const { plakar, repository } = workshop;
    await plakar.create(repository, { compression: false });
    await configureRepository(repository, { chunking: SMALL_CHUNKS });
    const empty = await backupStream(workshop, "empty", new Uint8Array());
    const dump = await backupStream(workshop, "dump", prose(60_000, 5));
    return facts([empty, dump], { compression: null });
  },

  async sha256(workshop) {
    const { plakar, repository } = workshop;
    await plakar.create(repository, { hashing: "SHA256" });
    await configureRepository(repository, { chunking: SMALL_CHUNKS });
    await stage(MIXED_TREE);
    return facts([await backupTree(workshop, "sha256")], { hashing: "SHA256" });
  },

  /** Several snapshots, two removed, maintenance after the first removal: states with deletions. */
  async several_states(workshop) {
    const { plakar, repository } = workshop;
    await plakar.create(repository);
    await configureRepository(repository, { chunking: SMALL_CHUNKS });
    const content = prose(50_000, 6);
    const first = await backupStream(workshop, "dump", content, ["step=1"]);
    const collected = await backupStream(workshop, "noise", randomBytes(30_000, 7));
    await plakar.remove(repository, collected.id);
    // Colours the packfiles that nobody uses, then removes what is coloured.
    await plakar.maintenance(repository);
    await plakar.maintenance(repository);
    const grown = new Uint8Array([...content, ...encoder.encode("one more line\n")]);
    const second = await backupStream(workshop, "dump", grown, ["step=2"]);
    const removed = await backupStream(workshop, "removed", prose(10_000, 8));
    await plakar.remove(repository, removed.id);
    return facts([first, second], { removed: [collected.id, removed.id] });
  },

  /** A backup ended by SIGKILL after its first packfile, then a whole one. */
  async interrupted(workshop) {
    const { plakar, repository } = workshop;
    await plakar.create(repository);
    await configureRepository(repository, { chunking: SMALL_CHUNKS, maxPackfile: 32768 });
    const content = prose(400_000, 9);
    const before = await backupStream(workshop, "before", content.subarray(0, 20_000));
    const packfiles = await countFiles(`${repository}/packfiles`);
    const child = plakar.spawn(repository, ["backup", "-no-progress", "stdin:interrupted"]);
    const writer = child.stdin.getWriter();
    await writer.write(randomBytes(80_000, 10));
    // Its standard input stays open, so it cannot end by itself.
    while (await countFiles(`${repository}/packfiles`) <= packfiles) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill("SIGKILL");
    await child.status;
    await writer.abort().catch(() => {
      // The reading end is gone, as intended.
    });
    const after = await backupStream(workshop, "after", content.subarray(0, 60_000));
    return facts([before, after]);
  },

  async encrypted(workshop) {
    const { plakar, repository } = workshop;
    const passphrase = "correct horse battery staple, 2024";
    const content = prose(30_000, 11);
    const snapshot = await untilSmall(
      workshop,
      340_000,
      () => plakar.create(repository, { passphrase }),
      () => backupStream(workshop, "dump", content),
    );
    return facts([snapshot], { passphrase });
  },

  /** What a client of the 1.0 line leaves, with entry names as infrahub-backup (Go) gave them. */
  async flavour_1_0(workshop) {
    await runKloset10(workshop, ["create", "-min", "2048", "-normal", "8192", "-max", "32768"]);
    const [one, two] = ["20240506_070809", "20240507_070809"];
    const neo4j = prose(60_000, 12);
    const snapshots = [
      await backupAsGoTool(workshop, "neo4j.dump", neo4j, groupTags(one, "neo4j")),
      await backupAsGoTool(workshop, "prefect.dump", prose(9_000, 13), groupTags(one, "postgres")),
      await backupAsGoTool(
        workshop,
        "backup_information.json",
        encoder.encode('{"metadata_version": 2025111200}\n'),
        groupTags(one, "metadata"),
      ),
      await backupAsGoTool(workshop, "neo4j.dump", neo4j, groupTags(two, "neo4j")),
    ];
    const removed = await backupAsGoTool(workshop, "removed.dump", prose(5_000, 14), []);
    await runKloset10(workshop, ["rm", removed.id]);
    return facts(snapshots, { producer: KLOSET_1_0_PRODUCER, removed: [removed.id] });
  },

  /** Begun by a client of the 1.0 line, continued by plakar. */
  async mixed_states(workshop) {
    await runKloset10(workshop, ["create", "-min", "2048", "-normal", "8192", "-max", "32768"]);
    const content = prose(40_000, 15);
    const old = await backupAsGoTool(workshop, "neo4j.dump", content, ["by=kloset-1.0"]);
    const young = await backupStream(workshop, "neo4j.dump", content, ["by=plakar"]);
    const producer = `${KLOSET_1_0_PRODUCER}, then ${PLAKAR_PRODUCER}`;
    return facts([old, young], { producer });
  },
};

// ---- output ------------------------------------------------------------------------------------

async function filesUnder(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await filesUnder(path));
    else found.push(path);
  }
  return found.sort();
}

async function countFiles(folder: string): Promise<number> {
  return (await filesUnder(folder)).length;
}

async function sizeOf(folder: string): Promise<number> {
  const infos = await Promise.all((await filesUnder(folder)).map((path) => Deno.stat(path)));
  return infos.reduce((sum, { size }) => sum + size, 0);
}

/** Versions in the envelopes of a repository's states, each once, ascending. */
async function stateVersions(repository: string): Promise<string[]> {
  const found = new Set<string>();
  for (const path of await filesUnder(`${repository}/states`)) {
    const [patch, minor, major] = (await Deno.readFile(path)).subarray(12, 15);
    found.add(`${major}.${minor}.${patch}`);
  }
  return [...found].sort();
}

/** Packs files alone, without the 514 bucket directories: unpacking makes those that are needed. */
async function pack(repository: string): Promise<Uint8Array> {
  const entries = await Promise.all(
    (await filesUnder(repository)).map(async (path) => {
      const body = await Deno.readFile(path);
      const name = path.slice(repository.length + 1);
      const header = { name, size: body.length, mode: 0o600, mtime: new Date(MTIME * 1000) };
      return { header, body };
    }),
  );
  const archive = new Blob([await packTar(entries) as Uint8Array<ArrayBuffer>]);
  const zipped = archive.stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(zipped).arrayBuffer());
}

function serialize(golden: Golden): string {
  // One entry a line: readable, and a change shows as itself.
  const marks: string[] = [];
  const text = JSON.stringify(
    golden,
    (key, value) =>
      key === "entries"
        ? value.map((entry: GoldenEntry) => {
          marks.push(JSON.stringify(entry));
          return `@${marks.length - 1}@`;
        })
        : value,
    2,
  );
  return text.replace(/"@(\d+)@"/g, (_, index) => marks[Number(index)] ?? "") + "\n";
}

async function make(name: string, plakar: Plakar, kloset10: string): Promise<void> {
  const maker = MAKERS[name];
  if (maker === undefined) throw new Error(`No golden repository is called "${name}"`);
  const repository = await Deno.makeTempDir({ prefix: `golden-${name}-` });
  try {
    const facts = await maker({ plakar, kloset10, repository });
    await plakar.check(repository);
    const golden = { ...facts, stateVersions: await stateVersions(repository) };
    const archive = await pack(repository);
    await Deno.mkdir(OUTPUT, { recursive: true });
    await Deno.writeFile(new URL(`${name}.tar.gz`, OUTPUT), archive);
    await Deno.writeTextFile(new URL(`${name}.json`, OUTPUT), serialize(golden));
    const line = `${name} ${archive.length} bytes, states ${golden.stateVersions.join(", ")}\n`;
    Deno.stdout.writeSync(encoder.encode(line));
  } finally {
    await Deno.remove(repository, { recursive: true });
  }
}

if (import.meta.main) {
  const kloset10 = await installPeer("kloset-1.0");
  await Deno.mkdir(STAGE, { recursive: true });
  // The command line is part of every snapshot: it must not name a folder of this machine.
  const executable = `${STAGE}/plakar`;
  await Deno.copyFile(Deno.env.get("PLAKAR") || await installPeer("plakar"), executable);
  try {
    await using plakar = await Plakar.start(executable);
    const names = Deno.args.length > 0 ? Deno.args : Object.keys(MAKERS);
    for (const name of names) await make(name, plakar, kloset10);
  } finally {
    await Deno.remove(STAGE, { recursive: true });
  }
}
