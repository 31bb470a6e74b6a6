import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AlreadyExistsError,
  ArchiveIoError,
  type ArchiveSource,
  DamagedArchiveError,
  InvalidSourceError,
  openArchive,
  writeArchive,
  type WriteArchiveOptions,
} from "../../../src/archive/mod.ts";
import {
  bytesOf,
  METADATA,
  namesIn,
  noise,
  readAll,
  sha256,
  streamOf,
  withTempDirectory,
} from "./_support.ts";

const DATABASE_ONLY = { ...METADATA, components: ["database"] };

function streamSource(name: string, content: Uint8Array): ArchiveSource {
  return { name, size: content.length, content: streamOf(content, 10_000) };
}

async function system(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    env: { TZ: "UTC", LC_ALL: "C" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("writeArchive writes the entries of the Go tool, metadata last", async () => {
  await withTempDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/dump/sub`, { recursive: true });
    await Deno.writeTextFile(`${directory}/dump/sub/b`, "b");
    await Deno.writeTextFile(`${directory}/dump/z.backup`, "z");
    await Deno.writeTextFile(`${directory}/dump/a.backup`, "");
    await Deno.chmod(`${directory}/dump/z.backup`, 0o640);
    const time = new Date("2026-03-18T13:30:00Z");
    await Deno.utime(`${directory}/dump/z.backup`, time, time);
    const path = `${directory}/infrahub_backup_20260318_143002.tar.gz`;
    const written = await writeArchive({
      path,
      metadata: METADATA,
      sources: [
        streamSource("prefect.dump", bytesOf("PGDMP")),
        { name: "database", path: `${directory}/dump` },
      ],
    });
    assertEquals((await system("tar", "tzf", path)).split("\n"), [
      "backup",
      "backup/database",
      "backup/database/a.backup",
      "backup/database/sub",
      "backup/database/sub/b",
      "backup/database/z.backup",
      "backup/prefect.dump",
      "backup/backup_information.json",
      "",
    ]);
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    const listing = (await system("tar", "tvzf", path)).split("\n");
    assertEquals(listing.map((line) => line[0]).join(""), "dd-d----");
    assert(listing[5]?.startsWith("-rw-r-----"), listing[5]);
    assert(listing[5]?.includes("2026-03-18 13:30"), listing[5]);
    // The type tells what is a directory; the names have no slash, as those of the Go tool.
    const tar = await readAll(
      (await Deno.open(path)).readable.pipeThrough(new DecompressionStream("gzip")),
    );
    assertEquals(new TextDecoder().decode(tar.subarray(0, 8)), "backup\0\0");
    assertEquals(tar[156], "5".charCodeAt(0));

    const text = await system("tar", "xzOf", path, "backup/backup_information.json");
    assertEquals(JSON.parse(text), {
      metadata_version: 2025111200,
      backup_id: "infrahub_backup_20260318_143002",
      created_at: "2026-03-18T13:30:02Z",
      tool_version: "v1.0.0",
      infrahub_version: "1.5.0",
      components: ["database", "task-manager-db"],
      checksums: {
        "database/a.backup": sha256(""),
        "database/sub/b": sha256("b"),
        "database/z.backup": sha256("z"),
        "prefect.dump": sha256("PGDMP"),
      },
      neo4j_edition: "community",
    });
    assertEquals(written.archiveBytes, (await Deno.stat(path)).size);
    assertEquals(written.totalBytes, 7 + text.length);
    assertEquals(await namesIn(directory), ["dump", "infrahub_backup_20260318_143002.tar.gz"]);
  });
});

Deno.test("writeArchive keeps names that are too long for a plain header", async () => {
  await withTempDirectory(async (directory) => {
    const names = [
      `database/${"n".repeat(250)}`,
      `database/${"d/".repeat(60)}file`,
      `database/${"ü".repeat(120)}`,
    ];
    const path = `${directory}/a.tar.gz`;
    await writeArchive({
      path,
      metadata: DATABASE_ONLY,
      sources: names.map((name) => streamSource(name, bytesOf(name))),
    });
    const archive = await openArchive(path);
    for (const name of names) {
      assertEquals(await readAll(archive.streamEntry(name)), bytesOf(name));
      assertEquals(await system("tar", "xzOf", path, `backup/${name}`), name);
    }
  });
});

Deno.test("writeArchive round-trips large and empty files, and tells its progress", async () => {
  await withTempDirectory(async (directory) => {
    const large = noise(9_000_001);
    const path = `${directory}/a.tar.gz`;
    const progress: ["write" | "verify", number][] = [];
    await writeArchive({
      path,
      metadata: METADATA,
      sources: [
        streamSource("database/neo4j.dump", large),
        streamSource("prefect.dump", new Uint8Array()),
      ],
      onProgress: (phase, bytes) => progress.push([phase, bytes]),
    });
    const archive = await openArchive(path);
    assertEquals(
      sha256(await readAll(archive.streamEntry("database/neo4j.dump"))),
      sha256(large),
    );
    assertEquals(await readAll(archive.streamEntry("prefect.dump")), new Uint8Array());
    const last = (phase: string) => progress.findLast(([of]) => of === phase)?.[1] ?? 0;
    assertEquals(last("write"), archive.totalBytes);
    assert(last("verify") > archive.totalBytes);
  });
});

Deno.test("writeArchive refuses sources that no archive can have, and leaves nothing", async (t) => {
  const stream = (name: string) => streamSource(name, bytesOf("x"));
  const cases: { name: string; sources: ArchiveSource[]; message: string }[] = [
    { name: "no files", sources: [], message: "there are no files to archive" },
    { name: "an escape", sources: [stream("../x")], message: "attempts to escape" },
    { name: "an absolute name", sources: [stream("/x")], message: "it is absolute" },
    { name: "no name", sources: [stream("")], message: "cannot be a name" },
    { name: "a final slash", sources: [stream("a/")], message: "cannot be a name" },
    { name: "a name twice", sources: [stream("a"), stream("a")], message: "is given twice" },
    {
      name: "a file as a directory",
      sources: [stream("a"), stream("a/b")],
      message: "is a file and a directory",
    },
    {
      name: "a directory as a file",
      sources: [stream("a/b"), stream("a")],
      message: "given twice",
    },
    {
      name: "the metadata",
      sources: [stream("backup_information.json")],
      message: "is made by the archive itself",
    },
    {
      name: "a link in a directory",
      sources: [{ name: "database", path: "LINKS" }],
      message: "is a symbolic link",
    },
    {
      name: "a device",
      sources: [{ name: "prefect.dump", path: "/dev/null" }],
      message: "is a special file",
    },
    {
      name: "fewer bytes than announced",
      sources: [{ name: "a", content: streamOf(bytesOf("abc")), size: 4 }],
      message: "expected 4 bytes, got 3",
    },
    {
      name: "more bytes than announced",
      sources: [{ name: "a", content: streamOf(bytesOf("abc")), size: 2 }],
      message: "expected 2 bytes, got more",
    },
  ];
  for (const { name, sources, message } of cases) {
    await t.step(name, async () => {
      await withTempDirectory(async (directory) => {
        await Deno.mkdir(`${directory}/in`);
        await Deno.symlink("/etc", `${directory}/in/link`);
        const placed = sources.map((source) =>
          "path" in source && source.path === "LINKS"
            ? { ...source, path: `${directory}/in` }
            : source
        );
        const path = `${directory}/a.tar.gz`;
        await assertRejects(
          () => writeArchive({ path, metadata: DATABASE_ONLY, sources: placed }),
          InvalidSourceError,
          message,
        );
        assertEquals(await namesIn(directory), ["in"]);
      });
    });
  }
});

Deno.test("writeArchive refuses a name that is taken, before and after the work", async () => {
  await withTempDirectory(async (directory) => {
    const path = `${directory}/a.tar.gz`;
    const write = (onProgress?: WriteArchiveOptions["onProgress"]) =>
      writeArchive({
        path,
        metadata: DATABASE_ONLY,
        sources: [streamSource("database/a", bytesOf("x"))],
        onProgress,
      });
    await assertRejects(
      () =>
        write((phase) => {
          if (phase === "verify") Deno.writeTextFileSync(path, "precious");
        }),
      AlreadyExistsError,
      "it exists already",
    );
    assertEquals(await namesIn(directory), ["a.tar.gz"]);
    await assertRejects(() => write(), AlreadyExistsError, "it exists already");
    assertEquals(await Deno.readTextFile(path), "precious");
    assertEquals(await namesIn(directory), ["a.tar.gz"]);
  });
});

Deno.test("writeArchive notices when the disk does not give back what was written", async (t) => {
  const damages: [name: string, damage: (path: string) => void][] = [
    ["cut", (path) => Deno.truncateSync(path, 1_000_000)],
    ["changed", (path) => {
      using file = Deno.openSync(path, { write: true });
      file.seekSync(3_000_000, Deno.SeekMode.Start);
      file.writeSync(bytesOf("damage"));
    }],
  ];
  for (const [name, damage] of damages) {
    await t.step(name, async () => {
      await withTempDirectory(async (directory) => {
        let damaged = false;
        await assertRejects(
          () =>
            writeArchive({
              path: `${directory}/a.tar.gz`,
              metadata: DATABASE_ONLY,
              sources: [streamSource("database/a", noise(4_000_000))],
              onProgress: (phase) => {
                if (phase !== "verify" || damaged) return;
                damaged = true;
                for (const { name } of Deno.readDirSync(directory)) damage(`${directory}/${name}`);
              },
            }),
          DamagedArchiveError,
          "is damaged",
        );
        assert(damaged);
        assertEquals(await namesIn(directory), []);
      });
    });
  }
});

Deno.test("writeArchive refuses metadata that its files do not fit", async () => {
  await withTempDirectory(async (directory) => {
    await assertRejects(
      () =>
        writeArchive({
          path: `${directory}/a.tar.gz`,
          metadata: METADATA,
          sources: [streamSource("database/a", bytesOf("x"))],
        }),
      DamagedArchiveError,
      "prefect.dump is missing",
    );
    assertEquals(await namesIn(directory), []);
  });
});

Deno.test("writeArchive leaves nothing when a stream fails, and lets the others go", async () => {
  await withTempDirectory(async (directory) => {
    let cancelled = false;
    const failing = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(noise(1000));
        throw new Error("pg_dump exited with 1");
      },
    });
    const waiting = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    await assertRejects(
      () =>
        writeArchive({
          path: `${directory}/a.tar.gz`,
          metadata: METADATA,
          sources: [
            { name: "database/a", content: failing, size: 1_000_000 },
            { name: "prefect.dump", content: waiting, size: 10 },
          ],
        }),
      Error,
      "pg_dump exited with 1",
    );
    assert(cancelled);
    assertEquals(await namesIn(directory), []);
  });
});

Deno.test("writeArchive leaves nothing when it is aborted", async (t) => {
  const content = noise(2_000_000);
  await t.step("before it begins", async () => {
    await withTempDirectory(async (directory) => {
      let cancelled = false;
      const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
      await assertRejects(
        () =>
          writeArchive({
            path: `${directory}/a.tar.gz`,
            metadata: DATABASE_ONLY,
            sources: [{ name: "database/a", content: stream, size: 1 }],
            signal: AbortSignal.abort(new Error("enough")),
          }),
        Error,
        "enough",
      );
      assert(cancelled);
      assertEquals(await namesIn(directory), []);
    });
  });
  for (const phase of ["write", "verify"] as const) {
    for (const fromDisk of [false, true]) {
      await t.step(`${phase} phase, ${fromDisk ? "from a file" : "from a stream"}`, async () => {
        await withTempDirectory(async (directory) => {
          await Deno.writeFile(`${directory}/in`, content);
          const aborting = new AbortController();
          await assertRejects(
            () =>
              writeArchive({
                path: `${directory}/a.tar.gz`,
                metadata: DATABASE_ONLY,
                sources: [
                  fromDisk
                    ? { name: "database/a", path: `${directory}/in` }
                    : streamSource("database/a", content),
                ],
                signal: aborting.signal,
                onProgress: (at) => {
                  if (at === phase) aborting.abort(new Error("enough"));
                },
              }),
            Error,
            "enough",
          );
          assertEquals(await namesIn(directory), ["in"]);
        });
      });
    }
  }
  await t.step("while a stream stalls", async () => {
    await withTempDirectory(async (directory) => {
      const aborting = new AbortController();
      let cancelled: unknown;
      const stalling = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(content.slice(0, 1000)),
        pull: () => aborting.abort(new Error("enough")),
        cancel: (reason) => void (cancelled = reason),
      }, { highWaterMark: 0 });
      await assertRejects(
        () =>
          writeArchive({
            path: `${directory}/a.tar.gz`,
            metadata: DATABASE_ONLY,
            sources: [{ name: "database/a", content: stalling, size: 2000 }],
            signal: aborting.signal,
          }),
        Error,
        "enough",
      );
      assertEquals(cancelled, aborting.signal.reason);
      assertEquals(await namesIn(directory), []);
    });
  });
});

Deno.test("writeArchive refuses a file that changes while it is read", async (t) => {
  const changes: [name: string, change: (path: string) => void][] = [
    ["shrinks", (path) => Deno.truncateSync(path, 500_000)],
    ["grows", (path) => Deno.writeFileSync(path, bytesOf("more"), { append: true })],
  ];
  for (const [name, change] of changes) {
    await t.step(name, async () => {
      await withTempDirectory(async (directory) => {
        await Deno.writeFile(`${directory}/in`, noise(4_000_000));
        let changed = false;
        await assertRejects(
          () =>
            writeArchive({
              path: `${directory}/a.tar.gz`,
              metadata: DATABASE_ONLY,
              sources: [{ name: "database/a", path: `${directory}/in` }],
              onProgress: () => {
                if (!changed) change(`${directory}/in`);
                changed = true;
              },
            }),
          InvalidSourceError,
          "it changed while it was archived",
        );
        assertEquals(await namesIn(directory), ["in"]);
      });
    });
  }
});

Deno.test("writeArchive says which path cannot be read or written", async () => {
  await withTempDirectory(async (directory) => {
    const write = (path: string, source: string) =>
      writeArchive({
        path,
        metadata: DATABASE_ONLY,
        sources: [{ name: "database/a", path: source }],
      });
    await assertRejects(
      () => write(`${directory}/a.tar.gz`, `${directory}/absent`),
      ArchiveIoError,
      `Cannot read "${directory}/absent": no such file or directory`,
    );
    await Deno.writeTextFile(`${directory}/in`, "x");
    await assertRejects(
      () => write(`${directory}/absent/a.tar.gz`, `${directory}/in`),
      ArchiveIoError,
      `Cannot write archive "${directory}/absent/a.tar.gz": no such file or directory`,
    );
  });
});

Deno.test("writeArchive leaves nothing when the disk takes no more", async () => {
  // A limit on the size of files stands in for a full disk, which only root can make: the write
  // fails in the same place, with "File too large".
  await withTempDirectory(async (directory) => {
    const script = new URL("./_write_large_archive.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: [
        "-c",
        `trap '' XFSZ; ulimit -f 2048; exec "$0" run -A --no-lock --no-check "$1" "$2"`,
        Deno.execPath(),
        script,
        `${directory}/a.tar.gz`,
      ],
    }).output();
    const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals(code, 3, output);
    assert(output.includes("ArchiveIoError Cannot write archive"), output);
    assert(output.includes("File too large"), output);
    assertEquals(await namesIn(directory), []);
  });
});
