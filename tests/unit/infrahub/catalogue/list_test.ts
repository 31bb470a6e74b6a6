import { assertEquals } from "@std/assert";
import { listGroups } from "../../../../src/infrahub/catalogue/list.ts";
import { openRepository, openStore } from "../../../../src/kloset/mod.ts";
import { storeComponent, withRepository } from "../_repository.ts";
import { recordingReporter } from "../_support.ts";

Deno.test("listGroups() lists backups, newest first, and nothing that belongs to none", async () => {
  await withRepository(async (repository) => {
    await storeComponent(repository, { component: "neo4j", tags: ["somebody.else=1"] });
    await storeComponent(repository, { component: "neo4j" });
    await storeComponent(repository, { component: "metadata", backupId: "20260102_000000" });
    await storeComponent(repository, { component: "postgres" });
    const reporter = recordingReporter();
    const groups = await listGroups(repository, reporter);
    assertEquals(
      groups.map(({ backupId, status, members }) => [
        backupId,
        status,
        members.map(({ component }) => component),
      ]),
      [
        ["20260102_000000", "incomplete", ["metadata"]],
        ["20260101_000000", "incomplete", ["neo4j", "postgres"]],
      ],
    );
    assertEquals(reporter.lines, []);
  });
});

Deno.test("listGroups() warns of a snapshot that it cannot read, and lists the others", async () => {
  await withRepository(async (repository, directory) => {
    const id = await storeComponent(repository, { component: "neo4j" });
    const packfiles = await packfilesOf(directory);
    const kept = await storeComponent(repository, { component: "postgres" });
    for (const path of packfiles) {
      await Deno.writeFile(path, new Uint8Array(Deno.statSync(path).size));
    }
    // Another cache: the one of the repository above knows the snapshots.
    await using damaged = await openRepository(openStore(`${directory}/repository`), { jobs: 1 });
    const reporter = recordingReporter();
    const groups = await listGroups(damaged, reporter);
    assertEquals(groups.flatMap(({ members }) => members.map((one) => one.snapshotId)), [kept]);
    assertEquals(reporter.lines.length, 1);
    assertEquals(
      reporter.lines[0]?.startsWith(`warn Failed to load snapshot ${id.slice(0, 16)}: `),
      true,
    );
  });
});

async function packfilesOf(directory: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for await (const entry of Deno.readDir(path)) {
      if (entry.isDirectory) await walk(`${path}/${entry.name}`);
      else found.push(`${path}/${entry.name}`);
    }
  };
  await walk(`${directory}/repository/packfiles`);
  return found;
}
