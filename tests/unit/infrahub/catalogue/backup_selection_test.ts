import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { selectBackup } from "../../../../src/infrahub/catalogue/backup_selection.ts";
import { findResumable } from "../../../../src/infrahub/catalogue/resumable_backup.ts";
import type { DeploymentInHand } from "../../../../src/infrahub/catalogue/own_groups.ts";
import { BackupGroupError } from "../../../../src/infrahub/errors.ts";
import { type BackupOrigin, originTags, type Place } from "../../../../src/infrahub/origin/mod.ts";
import { createRepository, openStore, type Repository } from "../../../../src/kloset/mod.ts";
import { recordingReporter, withTempDirectory } from "../_support.ts";

const docker = (target: string, id?: string): Place => ({
  kind: "docker",
  target,
  host: "h1",
  ...(id === undefined ? {} : { id }),
});
const SITE_A: BackupOrigin = {
  deployment: { place: docker("site-a") },
  host: "h1",
  run: "a".repeat(16),
};
const SITE_B: BackupOrigin = {
  deployment: { place: docker("site-b") },
  host: "h1",
  run: "b".repeat(16),
};
const IN_A: Required<DeploymentInHand> = { deployment: SITE_A.deployment ?? {}, host: "h1" };

/** Stores a backup of metadata alone. */
async function store(
  repository: Repository,
  backupId: string,
  origin: BackupOrigin,
  { components = "metadata", tags = [] }: { components?: string; tags?: string[] } = {},
): Promise<string> {
  const writer = await repository.createSnapshot({
    name: `${backupId}_metadata`,
    tags: [
      `infrahub.backup-id=${backupId}`,
      "infrahub.component=metadata",
      `infrahub.components=${components}`,
      ...(origin.run === undefined ? [] : originTags(origin)),
      ...tags,
    ],
    importer: { type: "infrahub", origin: origin.host, directory: "/" },
  });
  await writer.addFile("/backup_information.json", new Blob(["{}"]).stream());
  await writer.commit();
  return writer.id;
}

function test(name: string, run: (repository: Repository) => Promise<void>): void {
  Deno.test(`selectBackup() ${name}`, async () => {
    await withTempDirectory(async (root) => {
      await using repository = await createRepository(openStore(`${root}/r`), { jobs: 1 });
      await run(repository);
    });
  });
}

const choose = (
  repository: Repository,
  choice: {
    backupId?: string;
    snapshot?: string;
    from?: string;
    force?: boolean;
    anywhere?: true;
  } = {},
  into = IN_A,
) => {
  const reporter = recordingReporter();
  const { anywhere, force = false, ...rest } = choice;
  const selected = selectBackup({
    repository,
    reporter,
    force,
    ...rest,
    ...(anywhere ? {} : { into }),
  });
  return { selected, reporter };
};

test("takes the newest of the connected deployment, whoever has backed up since", async (repository) => {
  await store(repository, "20260101_000000", SITE_A);
  await store(repository, "20260102_000000", SITE_B);
  const { selected, reporter } = choose(repository);
  assertEquals((await selected).backupId, "20260101_000000");
  assertEquals(reporter.lines.filter((line) => line.startsWith("warn")), []);
  // Into a directory the newest of all goes, and it is said whose that is.
  const anywhere = choose(repository, { anywhere: true });
  assertEquals((await anywhere.selected).origin.run, SITE_B.run);
  assertStringIncludes(anywhere.reporter.lines.join("\n"), "20260102_000000 of site-b@h1");
  assertEquals(
    (await choose(repository, { anywhere: true, from: "site-a" }).selected).origin.run,
    SITE_A.run,
  );
});

test("takes another's only when both it and whose it is are named", async (repository) => {
  const id = await store(repository, "20260102_000000", SITE_B);
  const refused = async (choice: Parameters<typeof choose>[1], message: string) => {
    const error = await assertRejects(() => choose(repository, choice).selected, BackupGroupError);
    assertStringIncludes(error.message, message);
  };
  await refused({}, "no backup groups of this deployment (site-a@h1) found");
  await refused({}, "20260102_000000");
  await refused({ from: "site-b" }, "--backup-id 20260102_000000");
  await refused({ from: "site-c" }, "no backup groups of site-c found");
  await refused({ backupId: "20260102_000000" }, "--from-deployment site-b");
  await refused({ snapshot: id }, "--from-deployment site-b");
  await refused({ backupId: "20260102_000000", from: "site-c" }, "is of site-b@h1, not of site-c");
  for (const named of [{ backupId: "20260102_000000" }, { snapshot: id }]) {
    for (const from of ["site-b", "site-b@h1"]) {
      const { selected, reporter } = choose(repository, { ...named, from });
      assertEquals((await selected).ids, [id]);
      assertStringIncludes(
        reporter.lines.join("\n"),
        "Restoring a backup of site-b@h1 into site-a@h1",
      );
    }
  }
});

test("tells groups of one id apart by the run, and by the deployment", async (repository) => {
  const a = await store(repository, "20260101_000000", SITE_A);
  const b = await store(repository, "20260101_000000", SITE_B);
  const ids = async (choice: Parameters<typeof choose>[1]) =>
    (await choose(repository, choice).selected).ids;
  assertEquals(await ids({}), [a]);
  assertEquals(await ids({ backupId: "20260101_000000" }), [a]);
  assertEquals(await ids({ backupId: "20260101_000000", from: "site-b" }), [b]);
  assertEquals(await ids({ backupId: "20260101_000000.bbbbbbbb", from: "site-b" }), [b]);
  const error = await assertRejects(
    () => choose(repository, { backupId: "20260101_000000", anywhere: true }).selected,
    BackupGroupError,
  );
  for (const name of ["20260101_000000.aaaaaaaa", "20260101_000000.bbbbbbbb", "site-a@h1"]) {
    assertStringIncludes(error.message, name);
  }
  assertEquals(await ids({ backupId: "20260101_000000.aaaa", anywhere: true }), [a]);
});

test("tells backups without a deployment apart by the host, with a warning", async (repository) => {
  const own = await store(repository, "20260101_000000", { host: "h1" });
  const other = await store(repository, "20260102_000000", { host: "h2" });
  const { selected, reporter } = choose(repository);
  assertEquals((await selected).ids, [own]);
  assertStringIncludes(reporter.lines.join("\n"), "only the host: h1");
  const named = choose(repository, { backupId: "20260102_000000" });
  assertEquals((await named.selected).ids, [other]);
  assertStringIncludes(named.reporter.lines.join("\n"), "only the host: h2");
});

test("takes no backup that nobody has named the deployment of", async (repository) => {
  await store(repository, "20260101_000000", { host: "h1", run: "c".repeat(16) });
  await assertRejects(() => choose(repository).selected, BackupGroupError, "of this deployment");
});

test("does not mix what two runs of an earlier version have put under one id", async (repository) => {
  await store(repository, "20260101_000000", { host: "h1" });
  const second = await store(repository, "20260101_000000", { host: "h1" });
  await assertRejects(
    () => choose(repository).selected,
    BackupGroupError,
    "several metadata snapshots",
  );
  assertEquals((await choose(repository, { force: true }).selected).ids, [second]);
});

test("asks which of two clusters with equal names is meant, where only names are known", async (repository) => {
  const cluster = (infrahubId?: string) => ({
    place: { kind: "kubernetes" as const, target: "infrahub" },
    ...(infrahubId === undefined ? {} : { infrahubId }),
  });
  const run = "d".repeat(16);
  await store(repository, "20260101_000000", { deployment: cluster("id-one-1"), host: "p1", run });
  await store(repository, "20260102_000000", { deployment: cluster("id-two-2"), host: "p2", run });
  const into = (infrahubId?: string) => ({ deployment: cluster(infrahubId), host: "p3" });
  const first = await choose(repository, {}, into("id-one-1")).selected;
  assertEquals(first.backupId, "20260101_000000");
  await assertRejects(
    () => choose(repository, {}, into()).selected,
    BackupGroupError,
    "several deployments called infrahub@kubernetes",
  );
});

test("warns of a backup that is dated after now, or after one that is newer", async (repository) => {
  await store(repository, "20260101_000000", SITE_A);
  await store(repository, "20251231_000000", { ...SITE_A, run: "e".repeat(16) }, {
    tags: ["infrahub.made-after=20260101_000000"],
  });
  const { selected, reporter } = choose(repository, { backupId: "20251231_000000" });
  await selected;
  assertStringIncludes(
    reporter.lines.join("\n"),
    "was made after 20260101_000000, but is dated before",
  );
});

test("findResumable() adds nothing to another deployment's backup", async (repository) => {
  await store(repository, "20260101_000000", SITE_B, { components: "neo4j,metadata" });
  const reporter = recordingReporter();
  await assertRejects(
    () => findResumable(repository, "20260101_000000", reporter, IN_A),
    BackupGroupError,
    "it is of site-b@h1",
  );
  await store(repository, "20260101_000000", SITE_A, { components: "neo4j,metadata" });
  const group = await findResumable(repository, "20260101_000000", reporter, IN_A);
  assertEquals(group.origin.run, SITE_A.run);
  assert(group.missing.includes("neo4j"));
});
