import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AlreadyExistsError,
  ArchiveError,
  ArchiveLimitError,
  DamagedArchiveError,
  openArchive,
} from "../../../src/archive/mod.ts";
import {
  gzip,
  metadataEntry,
  namesIn,
  noise,
  rawTar,
  readAll,
  sha256,
  streamOf,
  withTempDirectory,
} from "./_support.ts";

const FILES = { "database/a": "first", "database/deep/b": "second", "prefect.dump": "pg" };

async function archiveBytes(files: Record<string, string> = FILES): Promise<Uint8Array> {
  const entries = Object.entries(files).map(([name, content]) => ({
    name: `backup/${name}`,
    content,
  }));
  return await gzip(rawTar([metadataEntry(files), ...entries]));
}

async function withArchive(
  action: (directory: string, path: string) => Promise<void>,
): Promise<void> {
  await withTempDirectory(async (directory) => {
    const path = `${directory}/a.tar.gz`;
    await Deno.writeFile(path, await archiveBytes());
    await action(directory, path);
  });
}

Deno.test("Archive.extractTo writes every file with its time, for its owner alone", async () => {
  await withArchive(async (directory, path) => {
    const archive = await openArchive(path);
    await archive.extractTo(`${directory}/out/`);
    assertEquals(await namesIn(directory), ["a.tar.gz", "out"]);
    assertEquals(await Deno.readTextFile(`${directory}/out/backup/database/deep/b`), "second");
    const info = await Deno.stat(`${directory}/out/backup/prefect.dump`);
    // Whatever the archive says, and whatever the umask lets through.
    assertEquals((info.mode ?? 0) & 0o7777, 0o600);
    for (const folder of ["out", "out/backup", "out/backup/database/deep"]) {
      assertEquals(((await Deno.stat(`${directory}/${folder}`)).mode ?? 0) & 0o777, 0o700, folder);
    }
    assertEquals(info.mtime, archive.files.find(({ name }) => name === "prefect.dump")?.mtime);
  });
});

Deno.test("Archive.extractTo takes an empty directory and refuses one with content", async () => {
  await withArchive(async (directory, path) => {
    const archive = await openArchive(path);
    await Deno.mkdir(`${directory}/out`);
    await archive.extractTo(`${directory}/out`);
    await assertRejects(
      () => archive.extractTo(`${directory}/out`),
      AlreadyExistsError,
      'contains "backup"',
    );
    assertEquals(await namesIn(directory), ["a.tar.gz", "out"]);
  });
});

Deno.test("Archive.extractTo leaves prefect.dump out when the task manager is excluded", async () => {
  await withArchive(async (directory, path) => {
    const archive = await openArchive(path, { excludeTaskManager: true });
    await archive.extractTo(`${directory}/out`);
    assertEquals(await namesIn(`${directory}/out/backup`), ["backup_information.json", "database"]);
  });
});

Deno.test("Archive.extractTo writes nothing when it would take more than allowed", async () => {
  await withArchive(async (directory, path) => {
    const archive = await openArchive(path);
    await assertRejects(
      () => archive.extractTo(`${directory}/out`, { maxBytes: archive.totalBytes - 1 }),
      ArchiveLimitError,
    );
    assertEquals(await namesIn(directory), ["a.tar.gz"]);
    await archive.extractTo(`${directory}/out`, { maxBytes: archive.totalBytes });
  });
});

Deno.test("Archive.extractTo leaves nothing behind when the archive has changed", async (t) => {
  const changes: [name: string, files: Record<string, string>][] = [
    ["another content", { ...FILES, "prefect.dump": "PG" }],
    ["another size", { ...FILES, "prefect.dump": "pg and more" }],
    ["a file less", { "database/a": "first", "prefect.dump": "pg" }],
  ];
  for (const [name, files] of changes) {
    await t.step(name, async () => {
      await withArchive(async (directory, path) => {
        const archive = await openArchive(path);
        await Deno.writeFile(path, await archiveBytes(files));
        await assertRejects(
          () => archive.extractTo(`${directory}/out`),
          DamagedArchiveError,
          "has changed since it was verified",
        );
        assertEquals(await namesIn(directory), ["a.tar.gz"]);
      });
    });
  }
  await t.step("cut", async () => {
    await withArchive(async (directory, path) => {
      const archive = await openArchive(path);
      await Deno.truncate(path, 200);
      await assertRejects(
        () => archive.extractTo(`${directory}/out`),
        DamagedArchiveError,
        "is damaged",
      );
      assertEquals(await namesIn(directory), ["a.tar.gz"]);
    });
  });
});

Deno.test("Archive.extractTo leaves nothing behind when it is aborted", async () => {
  await withArchive(async (directory, path) => {
    const bytes = await Deno.readFile(path);
    const aborting = new AbortController();
    let passes = 0;
    const archive = await openArchive({
      name: "a",
      // The first pass verifies; in the second the signal aborts after a few bytes.
      open: () => {
        const second = ++passes === 2;
        let at = 0;
        return Promise.resolve(
          new ReadableStream<Uint8Array>({
            pull(controller) {
              if (at >= bytes.length) return controller.close();
              if (second && at >= 100) aborting.abort(new Error("enough"));
              controller.enqueue(bytes.slice(at, at += 20));
            },
          }, { highWaterMark: 0 }),
        );
      },
    });
    await assertRejects(
      () => archive.extractTo(`${directory}/out`, { signal: aborting.signal }),
      Error,
      "enough",
    );
    assertEquals(await namesIn(directory), ["a.tar.gz"]);
  });
});

Deno.test("Archive.streamEntry gives one file, whatever comes before it", async () => {
  await withArchive(async (_, path) => {
    const archive = await openArchive(path);
    for (const [name, content] of Object.entries(FILES)) {
      assertEquals(new TextDecoder().decode(await readAll(archive.streamEntry(name))), content);
    }
    assertThrows(() => archive.streamEntry("absent"), ArchiveError, "has no file absent");
    assertThrows(() => archive.streamEntry("database"), ArchiveError);
  });
});

Deno.test("Archive.streamEntry gives every file of a large archive, read or not", async () => {
  // Larger than any buffer on the way, so that entries are skipped in the middle.
  const files = ["a", "b", "c"].map((name, at) => ({ name, content: noise(3e6, at + 1) }));
  const sums = Object.fromEntries(files.map(({ name, content }) => [name, sha256(content)]));
  const bytes = await gzip(rawTar([
    metadataEntry({}, { checksums: sums }),
    ...files.map(({ name, content }) => ({ name: `backup/${name}`, content })),
  ]));
  const archive = await openArchive({
    name: "large",
    open: () => Promise.resolve(streamOf(bytes)),
  });
  for (const { name, content } of files) {
    assertEquals(sha256(await readAll(archive.streamEntry(name))), sha256(content), name);
  }
});

Deno.test("Archive.readFiles reads files in one pass, in the order of the archive", async () => {
  const bytes = await archiveBytes();
  let passes = 0;
  const archive = await openArchive({
    name: "counted",
    open: () => {
      passes++;
      return Promise.resolve(streamOf(bytes));
    },
  });
  passes = 0;
  const read: [string, string][] = [];
  for await (const { file, content } of archive.readFiles(["prefect.dump", "database/a"])) {
    read.push([file.name, new TextDecoder().decode(await readAll(ReadableStream.from(content)))]);
  }
  assertEquals(read, [["database/a", "first"], ["prefect.dump", "pg"]]);
  assertEquals(passes, 1);
  assertThrows(() => archive.readFiles(["database/a", "absent"]), ArchiveError, "absent");
});

Deno.test("Archive.streamEntry errors at the end when the file has changed", async () => {
  await withArchive(async (_, path) => {
    const archive = await openArchive(path);
    await Deno.writeFile(path, await archiveBytes({ ...FILES, "prefect.dump": "PG" }));
    await assertRejects(
      () => readAll(archive.streamEntry("prefect.dump")),
      DamagedArchiveError,
      "has changed",
    );
    await Deno.writeFile(path, await archiveBytes({ "database/a": "first" }));
    await assertRejects(
      () => readAll(archive.streamEntry("prefect.dump")),
      DamagedArchiveError,
      "has changed",
    );
  });
});

Deno.test("Archive.streamEntry closes the archive when it is cancelled or aborted", async () => {
  // The test runner fails this test for a file left open.
  await withArchive(async (_, path) => {
    const archive = await openArchive(path);
    await archive.streamEntry("prefect.dump").cancel();
    const reader = archive.streamEntry("prefect.dump").getReader();
    await reader.read();
    await reader.cancel();
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(
      () => readAll(archive.streamEntry("prefect.dump", { signal })),
      Error,
      "enough",
    );
  });
});
