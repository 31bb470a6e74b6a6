import { assertEquals, assertRejects } from "@std/assert";
import { listGroups } from "../../../../src/infrahub/catalogue/list.ts";
import { parseTags } from "../../../../src/infrahub/catalogue/tags.ts";
import { bytesSource } from "../../../../src/infrahub/dump/bytes_source.ts";
import type { ComponentSource } from "../../../../src/infrahub/dump/source.ts";
import { BackupFailedError } from "../../../../src/infrahub/errors.ts";
import {
  createBackup,
  type CreateBackupOptions,
} from "../../../../src/infrahub/run/store_backup.ts";
import { formatBackupId } from "../../../../src/infrahub/timestamp.ts";
import type { Repository } from "../../../../src/kloset/mod.ts";
import { neo4jDump, postgresDump } from "../../../fixtures/small_dumps.ts";
import { storeComponent, withRepository } from "../_repository.ts";
import { recordingReporter } from "../_support.ts";

const NOW = new Date(2026, 0, 2, 3, 4, 5);
const ID = formatBackupId(NOW);
const NEO4J = bytesSource("neo4j", "/neo4j.dump", neo4jDump("graph"));
const POSTGRES = bytesSource("postgres", "/prefect.dump", postgresDump("tasks"));

/** A source whose bytes all arrive, and that fails afterwards. */
function failing(source: ComponentSource, problem: string): ComponentSource {
  return {
    ...source,
    open: async (signal) => {
      const finished = Promise.reject(new Error(problem));
      finished.catch(() => {});
      return { ...await source.open(signal), finished };
    },
  };
}

function create(repository: Repository, more: Partial<CreateBackupOptions> = {}) {
  const reporter = recordingReporter();
  const created = createBackup({
    repository,
    sources: [NEO4J, POSTGRES],
    neo4jEdition: "community",
    infrahubVersion: "1.2.0",
    toolVersion: "0",
    hostname: "here",
    now: NOW,
    reporter,
    signal: new AbortController().signal,
    ...more,
  });
  return { reporter, created };
}

for (const sideBySide of [false, true]) {
  const how = sideBySide ? "at the same time" : "one after the other";

  Deno.test(`createBackup() stores a snapshot per component, ${how}`, async () => {
    await withRepository(async (repository) => {
      const { backupId, components } = await create(repository, { sideBySide }).created;
      assertEquals(backupId, ID);
      assertEquals(components.map(({ component }) => component), ["neo4j", "postgres", "metadata"]);
      const [group] = await listGroups(repository, recordingReporter());
      assertEquals([group?.backupId, group?.status, group?.missing], [ID, "complete", []]);
      for (const { component, snapshotId } of components) {
        const { header } = await repository.openSnapshot(snapshotId);
        assertEquals([header.name, parseTags(header.tags).component], [
          `${ID}_${component}`,
          component,
        ]);
      }
    });
  });

  Deno.test(`createBackup() commits no dump whose source fails, ${how}`, async () => {
    await withRepository(async (repository) => {
      const sources = [failing(NEO4J, "no such database"), POSTGRES];
      const { reporter, created } = create(repository, { sources, sideBySide });
      await assertRejects(
        () => created,
        BackupFailedError,
        "streaming backup failed for neo4j: no such database",
      );
      const [group] = await listGroups(repository, recordingReporter());
      // The other is good, and can be added to; what would vouch for all of it is not there.
      assertEquals([group?.status, group?.missing], ["incomplete", ["neo4j", "metadata"]]);
      assertEquals(
        reporter.lines.at(-1),
        `warn Backup group ${ID} is incomplete (1/3 components created: postgres)`,
      );
    });
  });
}

Deno.test("createBackup() resumes a backup under its own id, and reads only what is missing", async () => {
  await withRepository(async (repository) => {
    const { created } = create(repository, { sources: [NEO4J, failing(POSTGRES, "gone")] });
    await assertRejects(() => created, BackupFailedError);
    const [resume] = await listGroups(repository, recordingReporter());
    if (resume === undefined) throw new Error("there is no backup");
    const unread: ComponentSource = {
      ...NEO4J,
      open: () => Promise.reject(new Error("it has been read again")),
    };
    const later = new Date(2026, 0, 3);
    const again = create(repository, { sources: [unread, POSTGRES], resume, now: later });
    const { backupId, components } = await again.created;
    assertEquals(backupId, ID);
    assertEquals(components.map(({ component }) => component), ["postgres", "metadata"]);
    const [group] = await listGroups(repository, recordingReporter());
    assertEquals(group?.status, "complete");
  });
});

Deno.test("createBackup() takes the next free second for its id", async () => {
  await withRepository(async (repository) => {
    await storeComponent(repository, { component: "neo4j", backupId: ID });
    const { backupId } = await create(repository).created;
    assertEquals(backupId, formatBackupId(new Date(NOW.getTime() + 1_000)));
  });
});

Deno.test("createBackup() does not keep a dump that its source finds not worth keeping", async () => {
  await withRepository(async (repository) => {
    const verify = (count: number) => Promise.reject(new Error(`${count} bytes are too few`));
    const source: ComponentSource = {
      ...NEO4J,
      open: async (signal) => ({ ...await NEO4J.open(signal), verify }),
    };
    const { created } = create(repository, { sources: [source] });
    await assertRejects(
      () => created,
      BackupFailedError,
      `${neo4jDump("graph").length} bytes are too few`,
    );
    assertEquals((await repository.snapshots()).headers, []);
  });
});

Deno.test("createBackup() that is ended stores nothing of the component it was at", async () => {
  await withRepository(async (repository) => {
    const controller = new AbortController();
    const source: ComponentSource = {
      ...POSTGRES,
      open: (signal) => {
        controller.abort(new Error("SIGTERM"));
        return POSTGRES.open(signal);
      },
    };
    const { created } = create(repository, {
      sources: [NEO4J, source],
      signal: controller.signal,
    });
    await assertRejects(() => created, Error, "SIGTERM");
    const { headers } = await repository.snapshots();
    assertEquals(headers.map(({ name }) => name), [`${ID}_neo4j`]);
  });
});

Deno.test("createBackup() keeps no dump that is not whole, unless it is stored raw", async () => {
  await withRepository(async (repository) => {
    const half = postgresDump("tasks").slice(0, -1);
    const sources = [NEO4J, bytesSource("postgres", "/prefect.dump", half)];
    await assertRejects(
      () => create(repository, { sources }).created,
      BackupFailedError,
      "the PostgreSQL dump is cut off",
    );
    const { components } = await create(repository, { sources, rawDumps: true }).created;
    for (const { snapshotId } of components) {
      const { header } = await repository.openSnapshot(snapshotId);
      assertEquals(parseTags(header.tags).rawDumps, true);
    }
  });
});
