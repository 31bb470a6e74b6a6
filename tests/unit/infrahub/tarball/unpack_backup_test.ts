import { assertEquals, assertRejects } from "@std/assert";
import { packTar, type TarEntry } from "modern-tar";
import { BackupFailedError } from "../../../../src/infrahub/errors.ts";
import { unpackBackup } from "../../../../src/infrahub/tarball/_unpack_backup.ts";
import { withTempDirectory } from "../_support.ts";

const file = (name: string, text: string): TarEntry => ({
  header: { name, size: text.length, type: "file" },
  body: text,
});
const directory = (name: string): TarEntry => ({ header: { name, size: 0, type: "directory" } });

async function unpack(entries: TarEntry[], target: string): Promise<number> {
  const tar = new Blob([await packTar(entries) as Uint8Array<ArrayBuffer>]);
  return await unpackBackup(tar.stream(), target);
}

Deno.test("unpackBackup() leaves the first part of each name away, and counts the files", async () => {
  await withTempDirectory(async (root) => {
    const entries = [
      directory("infrahubops/"),
      file("infrahubops/neo4j.backup", "12345"),
      directory("infrahubops/empty/"),
      file("infrahubops/deep/er/file", "678"),
    ];
    assertEquals(await unpack(entries, `${root}/database`), 8);
    assertEquals(await Deno.readTextFile(`${root}/database/neo4j.backup`), "12345");
    assertEquals(await Deno.readTextFile(`${root}/database/deep/er/file`), "678");
    assertEquals((await Deno.stat(`${root}/database/empty`)).isDirectory, true);
    // A dump is nobody else's business.
    assertEquals(((await Deno.stat(`${root}/database/deep/er/file`)).mode ?? 0) & 0o777, 0o600);
    assertEquals(((await Deno.stat(`${root}/database`)).mode ?? 0) & 0o777, 0o700);
  });
});

Deno.test("unpackBackup() writes nowhere else, whatever the names say", async () => {
  const link: TarEntry = {
    header: { name: "infrahubops/link", size: 0, type: "symlink", linkname: "/etc/passwd" },
  };
  const rows: [TarEntry, string][] = [
    [file("infrahubops/../../escaped", "x"), "a file with the name infrahubops/../../escaped"],
    [link, "infrahubops/link, which is a symlink"],
    [file("infrahubops", "x"), "infrahubops, which is a file"],
  ];
  for (const [entry, message] of rows) {
    await withTempDirectory(async (root) => {
      await assertRejects(() => unpack([entry], `${root}/b`), BackupFailedError, message);
      const names = (await Array.fromAsync(Deno.readDir(root))).map(({ name }) => name);
      assertEquals(names, ["b"]);
    });
  }
});

Deno.test("unpackBackup() never writes into a directory that is there already", async () => {
  await withTempDirectory(async (root) => {
    await assertRejects(() => unpack([], root), Deno.errors.AlreadyExists);
  });
});
