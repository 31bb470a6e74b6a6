import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openArchive } from "../../../../src/archive/mod.ts";
import { bytesSource } from "../../../../src/infrahub/dump/bytes_source.ts";
import type { ComponentSource } from "../../../../src/infrahub/dump/source.ts";
import { BackupFailedError } from "../../../../src/infrahub/errors.ts";
import {
  type ArchiveBackupOptions,
  archiveDumps,
  archiveFiles,
  prepareArchiveDirectory,
} from "../../../../src/infrahub/tarball/archive_backup.ts";
import { postgresDump } from "../../../fixtures/small_dumps.ts";
import { recordingReporter, withTempDirectory } from "../_support.ts";

const NOW = new Date(2026, 0, 2, 3, 4, 5);
const NAME = "infrahub_backup_20260102_030405.tar.gz";
const bytes = (text: string) => new TextEncoder().encode(text);
const NEO4J = bytesSource("neo4j", "/neo4j.dump", bytes("graph"));
const POSTGRES = bytesSource("postgres", "/prefect.dump", bytes("tasks!"));

function options(
  directory: string,
  more: Partial<ArchiveBackupOptions> = {},
): ArchiveBackupOptions {
  return {
    directory,
    neo4jEdition: "community",
    infrahubVersion: "1.2.0",
    toolVersion: "0",
    redacted: false,
    now: NOW,
    reporter: recordingReporter(),
    signal: new AbortController().signal,
    ...more,
  };
}

const nothing = () => Promise.resolve();

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}

Deno.test("archiveDumps() packs every dump under the name that the Go tool looks for", async () => {
  await withTempDirectory(async (root) => {
    const directory = `${root}/backups`;
    let dumped = 0;
    const created = await archiveDumps(
      [NEO4J, POSTGRES],
      options(directory, { neo4jDatabase: "graph" }),
      async () => {
        dumped++;
        // Services may start again: the archive is made of what lies here.
        assertEquals((await namesIn(directory)).filter((name) => name.endsWith(".gz")), []);
      },
    );
    assertEquals([created.path, dumped], [`${directory}/${NAME}`, 1]);
    assertEquals(created.components, [
      { component: "neo4j", bytes: 5 },
      { component: "postgres", bytes: 6 },
    ]);
    const archive = await openArchive(created.path);
    const dumps = archive.files.filter(({ name }) => name !== "backup_information.json");
    assertEquals(dumps.map((file) => [file.name, file.bytes]).sort(), [
      ["database/graph.dump", 5],
      ["prefect.dump", 6],
    ]);
    assertEquals(archive.metadata.components, ["database", "task-manager-db"]);
    assertEquals(await namesIn(directory), [NAME]);
  });
});

Deno.test("archiveDumps() leaves nothing behind of a dump that fails", async () => {
  await withTempDirectory(async (root) => {
    const failing: ComponentSource = {
      ...POSTGRES,
      open: async (signal) => {
        const finished = Promise.reject(new Error("pg_dump: cut off"));
        finished.catch(() => {});
        return { ...await POSTGRES.open(signal), finished };
      },
    };
    let dumped = 0;
    await assertRejects(
      () =>
        archiveDumps([NEO4J, failing], options(root), () => {
          dumped++;
          return Promise.resolve();
        }),
      BackupFailedError,
      "failed to back up postgres: pg_dump: cut off",
    );
    assertEquals([await namesIn(root), dumped], [[], 0]);
  });
});

Deno.test("two archives that are made at the same time have different names", async () => {
  await withTempDirectory(async (root) => {
    const make = () => archiveDumps([NEO4J], options(root), nothing);
    const created = await Promise.all([make(), make()]);
    assertEquals(created.map(({ backupId }) => backupId).sort(), [
      "20260102_030405",
      "20260102_030406",
    ]);
    assertEquals((await namesIn(root)).length, 2);
  });
});

Deno.test("archiveFiles() packs dumps that are files, or the contents of a directory", async () => {
  await withTempDirectory(async (root) => {
    await Deno.mkdir(`${root}/in/deep`, { recursive: true });
    await Deno.writeTextFile(`${root}/in/a.backup`, "12345");
    await Deno.writeTextFile(`${root}/in/deep/b`, "678");
    const dump = postgresDump("tasks!");
    await Deno.writeFile(`${root}/p.dump`, dump);
    const made = options(`${root}/out`, { neo4jEdition: "enterprise" });
    const created = await archiveFiles(`${root}/in/`, `${root}/p.dump`, made);
    assertEquals(created.components.map((one) => one.bytes), [8, dump.length]);
    const { files } = await openArchive(created.path);
    assertEquals(files.map(({ name }) => name).sort(), [
      "backup_information.json",
      "database/a.backup",
      "database/deep/b",
      "prefect.dump",
    ]);
  });
});

Deno.test("prepareArchiveDirectory() makes a directory, or says why it cannot be used", async () => {
  await withTempDirectory(async (root) => {
    await prepareArchiveDirectory(`${root}/a/b`);
    assertEquals(await namesIn(`${root}/a/b`), []);
    for (const made of ["a", "a/b"]) {
      assertEquals(((await Deno.stat(`${root}/${made}`)).mode ?? 0) & 0o777, 0o700, made);
    }
    await Deno.writeTextFile(`${root}/file`, "");
    const { message } = await assertRejects(
      () => prepareArchiveDirectory(`${root}/file/b`),
      BackupFailedError,
    );
    assertMatch(message, /^failed to create backup directory .*\/file\/b: /);
  });
});
