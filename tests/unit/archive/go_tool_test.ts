import { assertEquals } from "@std/assert";
import {
  encodeMetadata,
  loadPrivateKey,
  openArchive,
  parsePublicKey,
  verifyArchive,
} from "../../../src/archive/mod.ts";
import { FIXTURES, readAll, sha256, withTempDirectory } from "./_support.ts";

const CASES = [
  {
    file: "community.tar.gz",
    edition: "community",
    version: "1.5.0",
    files: ["backup_information.json", "database/neo4j.dump", "prefect.dump"],
  },
  {
    file: "enterprise.tar.gz",
    edition: "enterprise",
    version: "1.5.0 <&>",
    files: [
      "backup_information.json",
      `database/deep/${"n".repeat(150)}`,
      "database/empty",
      "database/neo4j-2026-06-26T10-00-00.backup",
      "database/system-2026-06-26T10-00-00.backup",
    ],
  },
  {
    file: "encrypted.tar.gz.enc",
    edition: "community",
    version: "",
    files: ["backup_information.json", "database/neo4j.dump", "prefect.dump"],
  },
];

for (const { file, edition, version, files } of CASES) {
  Deno.test(`openArchive verifies and extracts the Go tool's ${file}`, async () => {
    const privateKey = file.endsWith(".enc")
      ? await loadPrivateKey(`${FIXTURES}test.key`)
      : undefined;
    const archive = await openArchive(FIXTURES + file, { privateKey });
    assertEquals(archive.files.map(({ name }) => name), files);
    assertEquals(archive.metadata.neo4jEdition, edition);
    assertEquals(archive.metadata.infrahubVersion, version);
    assertEquals(archive.metadata.encrypted, privateKey !== undefined);
    await withTempDirectory(async (directory) => {
      await archive.extractTo(`${directory}/out`);
      for (const { name, sha256: sum } of archive.files) {
        const content = await Deno.readFile(`${directory}/out/backup/${name}`);
        assertEquals(sha256(content), sum, name);
        assertEquals(await readAll(archive.streamEntry(name)), content, name);
      }
    });
  });

  Deno.test(`encodeMetadata gives back the bytes of the metadata in the Go tool's ${file}`, async () => {
    const privateKey = file.endsWith(".enc")
      ? await loadPrivateKey(`${FIXTURES}test.key`)
      : undefined;
    const archive = await openArchive(FIXTURES + file, { privateKey });
    assertEquals(
      await readAll(archive.streamEntry("backup_information.json")),
      encodeMetadata(archive.metadata),
    );
  });
}

Deno.test("parsePublicKey reads the Go tool's public key", async () => {
  const text = await Deno.readTextFile(`${FIXTURES}test.key.pub`);
  const key = await parsePublicKey(text);
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", key));
  assertEquals(`${btoa(String.fromCharCode(...raw))}\n`, text);
});

Deno.test("verifyArchive reports the sizes in the Go tool's archive", async () => {
  const { files, totalBytes } = await verifyArchive(`${FIXTURES}community.tar.gz`);
  assertEquals(files.map(({ bytes }) => bytes), [528, 28, 17]);
  assertEquals(totalBytes, 573);
});
