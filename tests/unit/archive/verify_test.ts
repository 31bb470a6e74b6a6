import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { singleBitFlips, truncations } from "../../faults/mutations.ts";
import {
  ArchiveError,
  type ArchiveInput,
  ArchiveIoError,
  ArchiveLimitError,
  DamagedArchiveError,
  KeyMismatchError,
  loadPrivateKey,
  UnrecognizedFormatError,
  UnsafeArchiveError,
  verifyArchive,
  type VerifyOptions,
} from "../../../src/archive/mod.ts";
import {
  bytesOf,
  concat,
  FIXTURES,
  gzip,
  metadataEntry,
  type RawEntry,
  rawEntry,
  rawPax,
  rawTar,
  sha256,
  streamOf,
} from "./_support.ts";

const DUMP = { "database/neo4j.dump": "dump" };
const DUMP_ENTRY: RawEntry = { name: "backup/database/neo4j.dump", content: "dump" };
const SOUND: RawEntry[] = [
  { name: "backup", type: "5" },
  metadataEntry(DUMP),
  { name: "backup/database", type: "5" },
  DUMP_ENTRY,
];

function inputOf(bytes: Uint8Array): ArchiveInput {
  return { name: "test.tar.gz", open: () => Promise.resolve(streamOf(bytes)) };
}

async function verifyTar(tar: Uint8Array, options: VerifyOptions = {}) {
  return await verifyArchive(inputOf(await gzip(tar)), options);
}

async function problemsOf(
  entries: readonly (RawEntry | Uint8Array)[],
  options: VerifyOptions = {},
): Promise<readonly string[]> {
  const error = await assertRejects(() => verifyTar(rawTar(entries), options), DamagedArchiveError);
  return error.problems;
}

Deno.test("verifyArchive passes over what macOS adds to an archive, and over nothing else", async () => {
  const listed = { "database/._kept": "of the dump", ...DUMP };
  const { files, totalBytes } = await verifyTar(rawTar([
    { name: "./._backup", content: "attributes" },
    { name: "./backup", type: "5" },
    { name: "./backup/._backup_information.json", content: "attributes" },
    metadataEntry(listed),
    { name: "./backup/._database", content: "attributes" },
    { name: "./backup/.DS_Store", content: "view" },
    { name: "./backup/database/._kept", content: "of the dump" },
    { name: "./backup/database/._neo4j.dump", content: "attributes" },
    { name: "./backup/database/neo4j.dump", content: "dump" },
  ]));
  assertEquals(files.map(({ name }) => name), [
    "backup_information.json",
    "database/._kept",
    "database/neo4j.dump",
  ]);
  assertEquals(totalBytes, files.reduce((sum, { bytes }) => sum + bytes, 0));
  const problems = await problemsOf([...SOUND, { name: "backup/.hidden", content: "x" }]);
  assertEquals(problems, ["file in archive is not listed in its metadata: .hidden"]);
});

Deno.test("verifyArchive accepts a sound archive", async () => {
  const { files, totalBytes, metadata } = await verifyTar(rawTar(SOUND));
  assertEquals(files.map(({ name }) => name), ["backup_information.json", "database/neo4j.dump"]);
  assertEquals(files[1]?.sha256, sha256("dump"));
  assertEquals(totalBytes, files[0] === undefined ? 0 : files[0].bytes + 4);
  assertEquals(metadata.checksums.get("database/neo4j.dump"), sha256("dump"));
});

Deno.test("verifyArchive accepts what tar makes of ./backup: dots, slashes, metadata last", async () => {
  const { files } = await verifyTar(rawTar([
    { name: "./", type: "5" },
    { name: "./backup/", type: "5" },
    { name: "./backup/database/", type: "5" },
    { name: "./backup//database/neo4j.dump", content: "dump" },
    { ...metadataEntry(DUMP), name: "./backup/backup_information.json" },
  ]));
  assertEquals(files.map(({ name }) => name), ["database/neo4j.dump", "backup_information.json"]);
});

Deno.test("verifyArchive names everything that is wrong with the files", async (t) => {
  const other = metadataEntry({ "database/neo4j.dump": "other" });
  const taskManager = { components: ["database", "task-manager-db"] };
  const prefect: RawEntry = { name: "backup/prefect.dump", content: "pg" };
  const cases: { name: string; entries: RawEntry[]; problems: string[] }[] = [
    {
      name: "no metadata",
      entries: [DUMP_ENTRY],
      problems: ["invalid backup file: missing metadata"],
    },
    { name: "nothing", entries: [], problems: ["invalid backup file: missing metadata"] },
    {
      name: "metadata outside backup/",
      entries: [DUMP_ENTRY, { ...metadataEntry(DUMP), name: "backup_information.json" }],
      problems: [
        "invalid backup file: missing metadata",
        "unexpected file in archive: backup_information.json",
      ],
    },
    {
      name: "a listed file missing",
      entries: [metadataEntry(DUMP)],
      problems: ["missing backup file: database/neo4j.dump"],
    },
    {
      name: "a listed file that is a directory",
      entries: [metadataEntry(DUMP), { name: "backup/database/neo4j.dump", type: "5" }],
      problems: ["missing backup file: database/neo4j.dump"],
    },
    {
      name: "another content",
      entries: [other, DUMP_ENTRY],
      problems: [
        "checksum mismatch for database/neo4j.dump: " +
        `expected ${sha256("other")}, got ${sha256("dump")}`,
      ],
    },
    {
      name: "an unlisted file",
      entries: [metadataEntry(DUMP), DUMP_ENTRY, { name: "backup/database/more", content: "" }],
      problems: ["file in archive is not listed in its metadata: database/more"],
    },
    {
      name: "files beside backup/",
      entries: [...SOUND, { name: "other", type: "5" }, { name: "other/file" }],
      problems: [
        "unexpected directory in archive: other",
        "unexpected file in archive: other/file",
      ],
    },
    {
      name: "prefect.dump announced as a component but missing",
      entries: [metadataEntry(DUMP, taskManager), DUMP_ENTRY],
      problems: ["backup metadata includes task manager database but prefect.dump is missing"],
    },
    {
      name: "prefect.dump listed but missing",
      entries: [metadataEntry({ ...DUMP, "prefect.dump": "pg" }), DUMP_ENTRY],
      problems: ["backup metadata includes task manager database but prefect.dump is missing"],
    },
    {
      name: "prefect.dump without checksum",
      entries: [metadataEntry(DUMP), DUMP_ENTRY, prefect],
      problems: ["missing checksum for prefect.dump in metadata"],
    },
    {
      name: "prefect.dump changed, and more",
      entries: [
        metadataEntry({ "database/neo4j.dump": "other", "prefect.dump": "was" }),
        DUMP_ENTRY,
        prefect,
      ],
      problems: [
        "checksum mismatch for database/neo4j.dump: " +
        `expected ${sha256("other")}, got ${sha256("dump")}`,
        `checksum mismatch for prefect.dump: expected ${sha256("was")}, got ${sha256("pg")}`,
      ],
    },
  ];
  for (const { name, entries, problems } of cases) {
    await t.step(name, async () => assertEquals(await problemsOf(entries), problems));
  }
});

Deno.test("verifyArchive leaves prefect.dump aside when the task manager is excluded", async () => {
  const options = { excludeTaskManager: true };
  const announced = metadataEntry(DUMP, { components: ["database", "task-manager-db"] });
  await verifyTar(rawTar([announced, DUMP_ENTRY]), options);
  const changed = metadataEntry({ ...DUMP, "prefect.dump": "was" });
  const prefect = { name: "backup/prefect.dump", content: "is" };
  await verifyTar(rawTar([changed, DUMP_ENTRY, prefect]), options);
  assertEquals(await problemsOf([changed, prefect], options), [
    "missing backup file: database/neo4j.dump",
  ]);
});

Deno.test("verifyArchive rejects metadata that cannot be parsed", async () => {
  const broken = { name: "backup/backup_information.json", content: "{" };
  const [problem = ""] = await problemsOf([broken, DUMP_ENTRY]);
  assertEquals(problem.startsWith("failed to parse metadata: "), true, problem);
  const huge = { name: "backup/backup_information.json", size: 2 ** 30 };
  assertEquals(await problemsOf([huge]), [
    `failed to parse metadata: it has ${2 ** 30} bytes`,
  ]);
});

Deno.test("verifyArchive refuses entries that no backup has", async (t) => {
  const escape = "(attempts to escape destination directory)";
  const cases: { name: string; entries: (RawEntry | Uint8Array)[]; message: string }[] = [
    {
      name: "a path that escapes",
      entries: [{ name: "backup/../../etc/passwd", content: "x" }],
      message: `illegal file path in archive: backup/../../etc/passwd ${escape}`,
    },
    {
      name: "a path that comes back",
      entries: [{ name: "backup/../backup/x" }],
      message: `illegal file path in archive: backup/../backup/x ${escape}`,
    },
    { name: "only dots", entries: [{ name: "..", type: "5" }], message: escape },
    {
      name: "an absolute path",
      entries: [{ name: "/backup/x" }],
      message: "illegal file path in archive: /backup/x (it is absolute)",
    },
    {
      name: "an absolute path in a pax header",
      entries: [rawPax("path", "/etc/passwd"), { name: "backup/x" }],
      message: "illegal file path in archive: /etc/passwd (it is absolute)",
    },
    {
      name: "a NUL in a pax header",
      entries: [rawPax("path", "backup/a\0b"), { name: "backup/x" }],
      message: 'illegal file path in archive: "backup/a\\u0000b"',
    },
    { name: "a line break", entries: [{ name: "backup/a\nb" }], message: "not allowed" },
    { name: "a backslash", entries: [{ name: "backup\\..\\x" }], message: "not allowed" },
    {
      name: "a name that is too long",
      entries: [rawPax("path", `backup/${"n".repeat(256)}`), { name: "backup/x" }],
      message: "it is too long",
    },
    {
      name: "a path that is too long",
      entries: [rawPax("path", `backup${"/n".repeat(2100)}`), { name: "backup/x" }],
      message: "it is too long",
    },
    {
      name: "a symbolic link",
      entries: [{ name: "backup/database", type: "2", linkName: "/etc" }],
      message: "illegal entry in archive: backup/database is a symlink",
    },
    {
      name: "a hard link",
      entries: [DUMP_ENTRY, {
        name: "backup/x",
        type: "1",
        linkName: "backup/database/neo4j.dump",
      }],
      message: "illegal entry in archive: backup/x is a link",
    },
    {
      name: "a character device",
      entries: [{ name: "backup/x", type: "3" }],
      message: "is a character-device",
    },
    { name: "a block device", entries: [{ name: "backup/x", type: "4" }], message: "block-device" },
    { name: "a pipe", entries: [{ name: "backup/x", type: "6" }], message: "is a fifo" },
    {
      name: "a sparse file",
      entries: [rawPax("GNU.sparse.major", "1"), { name: "backup/x" }],
      message: "is a sparse file",
    },
    { name: "a file twice", entries: [DUMP_ENTRY, DUMP_ENTRY], message: "stands in it twice" },
    {
      name: "a file twice, written in two ways",
      entries: [DUMP_ENTRY, { ...DUMP_ENTRY, name: "./backup/database//neo4j.dump" }],
      message: "stands in it twice",
    },
    {
      name: "a file below a file",
      entries: [{ name: "backup/database" }, DUMP_ENTRY],
      message: "backup/database/neo4j.dump is a file and a directory",
    },
    {
      name: "a file where others lie",
      entries: [DUMP_ENTRY, { name: "backup/database" }],
      message: "backup/database is a file and a directory",
    },
    { name: "a file without name", entries: [{ name: "." }], message: "illegal entry" },
  ];
  for (const { name, entries, message } of cases) {
    await t.step(name, async () => {
      await assertRejects(
        () => verifyTar(rawTar([...entries, ...SOUND])),
        UnsafeArchiveError,
        message,
      );
    });
  }
});

Deno.test("verifyArchive refuses tars that are not whole", async (t) => {
  const sound = rawTar(SOUND);
  const flipped = sound.slice();
  flipped[3 * 512] = 0x21; // in the name of the third header
  const cases: { name: string; tar: Uint8Array }[] = [
    { name: "no end mark", tar: sound.subarray(0, -1024) },
    { name: "half an end mark", tar: sound.subarray(0, -512) },
    { name: "bytes after the end", tar: concat(sound, bytesOf("more")) },
    { name: "an archive after the end", tar: concat(sound, sound) },
    {
      name: "an announced size that is not there",
      tar: rawTar([...SOUND, { name: "backup/x", size: 8e9 }]),
    },
    { name: "a header checksum that does not fit", tar: flipped },
    { name: "text", tar: bytesOf("this is no tar\n".repeat(100)) },
    { name: "nothing", tar: new Uint8Array() },
  ];
  for (const { name, tar } of cases) {
    await t.step(name, async () => {
      await assertRejects(() => verifyTar(tar), DamagedArchiveError, '"test.tar.gz" is damaged');
    });
  }
  await t.step("zeros after the end are padding", async () => {
    await verifyTar(concat(sound, new Uint8Array(9 * 512)));
  });
});

Deno.test("verifyArchive refuses bytes after gzip, another gzip among them", async () => {
  const sound = await gzip(rawTar(SOUND));
  await verifyArchive(inputOf(sound));
  for (const more of [bytesOf("x"), new Uint8Array(512), sound]) {
    await assertRejects(
      () => verifyArchive(inputOf(concat(sound, more))),
      DamagedArchiveError,
      "is damaged",
    );
  }
});

Deno.test("verifyArchive refuses every truncation", async () => {
  const sound = await Deno.readFile(`${FIXTURES}community.tar.gz`);
  for (const cut of truncations(sound)) {
    const error = await assertRejects(() => verifyArchive(inputOf(cut)), ArchiveError);
    const expected = cut.length === 0 ? UnrecognizedFormatError : DamagedArchiveError;
    assertInstanceOf(error, expected, `${cut.length} bytes`);
  }
});

Deno.test("verifyArchive refuses every flipped bit, or reads the same in spite of it", async () => {
  const sound = await Deno.readFile(`${FIXTURES}community.tar.gz`);
  const contents = await verifyArchive(inputOf(sound));
  let same = 0;
  for (const damaged of singleBitFlips(sound)) {
    let read;
    try {
      read = await verifyArchive(inputOf(damaged));
    } catch (error) {
      assertInstanceOf(error, ArchiveError);
      continue;
    }
    assertEquals(read, contents);
    same++;
  }
  // Time, system and hints in the header of gzip; padding; a distance to the same bytes elsewhere.
  assertEquals(same < 0.02 * 8 * sound.length, true, `${same} flips made no difference`);
});

Deno.test("verifyArchive keeps to the limits it is given", async () => {
  const tar = rawTar(SOUND);
  await verifyTar(tar, { maxBytes: tar.length, maxEntries: 4 });
  await assertRejects(
    () => verifyTar(tar, { maxEntries: 3 }),
    ArchiveLimitError,
    "archive has more than 3 entries",
  );
  await assertRejects(
    () => verifyTar(tar, { maxBytes: tar.length - 1 }),
    ArchiveLimitError,
    `archive unpacks to more than ${tar.length - 1} bytes`,
  );
  // Refused by its announced size, before any of it is there.
  const announced = rawEntry({ name: "backup/x", size: 1e6 });
  await assertRejects(() => verifyTar(announced, { maxBytes: 1e5 }), ArchiveLimitError);
});

Deno.test("verifyArchive stops at the limit in a bomb, without unpacking the rest", async () => {
  // Headers without end, of which no entry ever comes.
  const page = rawPax("comment", "x".repeat(400_000));
  const bomb = await gzip(concat(...Array.from({ length: 100 }, () => page)));
  let unpacked = 0;
  await assertRejects(
    () =>
      verifyArchive(inputOf(bomb), {
        maxBytes: 1e6,
        onProgress: (bytes) => unpacked = bytes,
      }),
    ArchiveLimitError,
  );
  assertEquals(unpacked <= 1e6, true, `${unpacked}`);
});

Deno.test("verifyArchive tells keys from formats", async () => {
  const privateKey = await loadPrivateKey(`${FIXTURES}test.key`);
  await assertRejects(
    () => verifyArchive(`${FIXTURES}encrypted.tar.gz.enc`),
    KeyMismatchError,
    "backup file is encrypted; provide --decrypt-key to decrypt",
  );
  await assertRejects(
    () => verifyArchive(`${FIXTURES}community.tar.gz`, { privateKey }),
    KeyMismatchError,
    "--decrypt-key provided but backup file is not encrypted",
  );
  await assertRejects(
    () => verifyArchive(`${FIXTURES}test.key`),
    UnrecognizedFormatError,
    "first byte 0x2d",
  );
  await assertRejects(
    () => verifyArchive(`${FIXTURES}absent.tar.gz`),
    ArchiveIoError,
    `backup file not found: ${FIXTURES}absent.tar.gz`,
  );
  await assertRejects(() => verifyArchive(FIXTURES), ArchiveIoError, `Cannot read "${FIXTURES}"`);
});

Deno.test("verifyArchive ends with the signal's reason, also while its input stalls", async () => {
  const reason = new Error("enough");
  await assertRejects(
    () => verifyArchive(`${FIXTURES}community.tar.gz`, { signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  const sound = await gzip(rawTar(SOUND));
  const aborting = new AbortController();
  const cancelled = Promise.withResolvers<void>();
  const stalling: ArchiveInput = {
    name: "stalling",
    open: () =>
      Promise.resolve(
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(sound.subarray(0, 100)),
          // Asked for more, it gives nothing: the moment to stop.
          pull: () => aborting.abort(reason),
          cancel: () => cancelled.resolve(),
        }, { highWaterMark: 0 }),
      ),
  };
  await assertRejects(
    () => verifyArchive(stalling, { signal: aborting.signal }),
    Error,
    "enough",
  );
  await cancelled.promise;
});
