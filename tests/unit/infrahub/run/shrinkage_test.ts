import { assertEquals } from "@std/assert";
import {
  type CreatedArchive,
  describeShrinkage,
  findShrunkenArchive,
} from "../../../../src/infrahub/mod.ts";
import { isShrunken } from "../../../../src/infrahub/run/shrinkage.ts";
import { withTempDirectory } from "../_support.ts";

Deno.test("isShrunken() is about more than so many percent", () => {
  const rows: [number, number, number, boolean][] = [
    [50, 100, 50, false],
    [49, 100, 50, true],
    [0, 100, 99, true],
    [1, 100, 99, false],
    [89, 100, 10, true],
    [200, 100, 50, false],
    [0, 0, 50, false],
    [0, 100, 0, false],
  ];
  for (const [bytes, earlier, percent, want] of rows) {
    assertEquals(isShrunken(bytes, earlier, percent), want, `${bytes} of ${earlier}, ${percent} %`);
  }
});

Deno.test("describeShrinkage() says what, how much, and compared with what", () => {
  assertEquals(
    describeShrinkage({
      what: "postgres",
      bytes: 1024,
      earlierBytes: 4096,
      earlierBackupId: "20260101_000000",
    }),
    "The postgres dump is 75 % smaller than in backup 20260101_000000 " +
      "(1.0 KB instead of 4.0 KB): make sure that no data has been lost",
  );
});

Deno.test("findShrunkenArchive() compares with the newest archive before it, of either kind", async () => {
  await withTempDirectory(async (directory) => {
    const put = (name: string, bytes: number) =>
      Deno.writeFile(`${directory}/${name}`, new Uint8Array(bytes));
    await put("infrahub_backup_20260101_000000.tar.gz", 10);
    await put("infrahub_backup_20260102_000000.tar.gz.enc", 1_000);
    await put("infrahub_backup_20260104_000000.tar.gz", 100_000); // newer than ours
    await put("infrahub_backup_20260102_120000.tar.gz.part", 100_000);
    const archive: CreatedArchive = {
      backupId: "20260103_000000",
      path: `${directory}/infrahub_backup_20260103_000000.tar.gz`,
      components: [],
      bytes: 400,
      durationSeconds: 1,
    };
    assertEquals(await findShrunkenArchive(archive, 50), [{
      what: "archive",
      bytes: 400,
      earlierBytes: 1_000,
      earlierBackupId: "20260102_000000",
    }]);
    assertEquals(await findShrunkenArchive(archive, 60), []);
    assertEquals(await findShrunkenArchive(archive, 0), []);
    const first = { ...archive, backupId: "20250101_000000" };
    assertEquals(await findShrunkenArchive(first, 50), []);
  });
});
