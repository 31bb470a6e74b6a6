import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import {
  makeWorkDirectory,
  measureDirectory,
  parseFreeSpace,
  requireFreeSpace,
} from "../../../../src/infrahub/deployment/work_directory.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const NO = failure(["x"], 1, "no");
const MIB = 1024 * 1024;

function setUp(environment: FakeEnvironment) {
  const { deployment, lines } = fakeDeployment(environment);
  return { environment, deployment, lines, journal: new UndoJournal(deployment) };
}

Deno.test("makeWorkDirectory() makes one that nobody else has, and removes it once", async () => {
  const { environment, deployment, journal } = setUp(
    new FakeEnvironment().on("database", "mkdir", "").on("database", "rm", ""),
  );
  const first = await makeWorkDirectory(deployment, journal, "database");
  const second = await makeWorkDirectory(deployment, journal, "database");
  assertNotEquals(first.path, second.path);
  assertMatch(first.path, /^\/tmp\/infrahubops-[0-9a-f-]{36}$/);
  // Nobody else may look into it; and without -p, so that one that is there already is noticed.
  assertEquals(environment.calls[0]?.argv, ["mkdir", "-m", "700", first.path]);
  await first.remove();
  assertEquals(environment.calls.at(-1)?.argv, ["rm", "-rf", first.path]);
  assertEquals(journal.pending, [`remove ${second.path} from database`]);
});

Deno.test("makeWorkDirectory() fails where it cannot be made, and leaves nothing half made", async () => {
  const { environment, deployment, journal } = setUp(
    new FakeEnvironment().on("database", "mkdir", NO).on("database", "rm", ""),
  );
  await assertRejects(
    () => makeWorkDirectory(deployment, journal, "database"),
    DeploymentError,
    "failed to prepare remote work directory: ",
  );
  // The command may have been cut off after it had made the directory.
  await journal.undo();
  assertEquals(environment.calls.at(-1)?.argv[0], "rm");
});

Deno.test("a work directory that cannot be removed is warned of, and stays on the journal", async () => {
  const { deployment, journal, lines } = setUp(
    new FakeEnvironment().on("database", "mkdir", "").on("database", "rm", NO),
  );
  const directory = await makeWorkDirectory(deployment, journal, "database");
  await directory.remove();
  assertEquals(journal.pending.length, 1);
  assertMatch(lines.at(-1) ?? "", /^warn Failed to remove temporary directory \/tmp\/infrahubops-/);
});

Deno.test("requireFreeSpace() refuses what will not fit, to the byte", async () => {
  const df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 9 9 1024 1% /tmp";
  const { deployment, lines } = setUp(new FakeEnvironment().on("database", "df -Pk /tmp", df));
  const require = (needed: number) =>
    requireFreeSpace(deployment, "database", "/tmp", needed, "the dump");
  await require(MIB);
  assertEquals(lines, [
    "info the dump needs about 1.0 MB in /tmp of database, where 1.0 MB are free",
  ]);
  await assertRejects(() => require(MIB + 1), DeploymentRefusedError, "not enough space in /tmp");
});

Deno.test("requireFreeSpace() lets a run go on where nobody can tell the free space", async () => {
  for (const answer of [NO, "df: no such option", ""]) {
    const { deployment, lines } = setUp(new FakeEnvironment().on("database", "df", answer));
    await requireFreeSpace(deployment, "database", "/tmp", MIB, "the dump");
    assertMatch(lines.join(), /^debug Could not find out the free space of \/tmp: /);
  }
});

Deno.test("measureDirectory() counts in bytes, or says that it does not know", async () => {
  const measure = (answer: string | Error) =>
    measureDirectory(
      setUp(new FakeEnvironment().on("database", "du -skL /data", answer)).deployment,
      "database",
      "/data",
    );
  assertEquals(await measure("12\t/data\n"), 12 * 1024);
  assertEquals(await measure("du: cannot read"), undefined);
  assertEquals(await measure(NO), undefined);
});

Deno.test("parseFreeSpace() counts columns from the right", () => {
  const header = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
  assertEquals(parseFreeSpace(`${header}/dev/sda1 100 40 60 40% /`), 60 * 1024);
  assertEquals(parseFreeSpace(`${header}//host/my share 100 40 60 40% /mnt/a b`), 60 * 1024);
  for (const output of ["", header, "/dev/sda1 100 40 60 - /"]) {
    assertThrows(() => parseFreeSpace(output), Error, "unexpected answer of df");
  }
});
