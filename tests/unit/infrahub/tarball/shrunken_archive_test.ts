import { assertEquals } from "@std/assert";
import type { CreatedArchive } from "../../../../src/infrahub/tarball/archive_backup.ts";
import { findShrunkenArchive } from "../../../../src/infrahub/tarball/shrunken_archive.ts";
import { withTempDirectory } from "../_support.ts";

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
