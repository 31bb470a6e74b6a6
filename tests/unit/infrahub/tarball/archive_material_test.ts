import { assertEquals } from "@std/assert";
import { type Archive, openArchive } from "../../../../src/archive/mod.ts";
import type { RestorableDump } from "../../../../src/infrahub/dump/restorable_dump.ts";
import { dumpInspectorFor } from "../../../../src/infrahub/dump/verification.ts";
import { archiveMaterial } from "../../../../src/infrahub/tarball/archive_material.ts";

const FIXTURES = new URL("../../../fixtures/archive/", import.meta.url);

async function open(name: string): Promise<Archive> {
  return await openArchive(new URL(name, FIXTURES).pathname);
}

/** Reads a dump to its end, and has an inspector look at it. */
async function read(dump: RestorableDump, inspect = true): Promise<number> {
  const inspector = inspect ? dumpInspectorFor(dump.name) : undefined;
  let bytes = 0;
  await dump.copy((piece) => {
    bytes += piece.byteLength;
    inspector?.observe(piece);
    return Promise.resolve();
  }, new AbortController().signal);
  inspector?.finish();
  return bytes;
}

Deno.test("archiveMaterial() has the Community dump under the name that a restore knows", async () => {
  const archive = await open("community.tar.gz");
  const { neo4j, postgres, ...facts } = archiveMaterial(archive, false);
  const { metadata } = archive;
  assertEquals(facts, {
    backupId: metadata.backupId.replace("infrahub_backup_", ""),
    infrahubVersion: metadata.infrahubVersion,
    neo4jEdition: metadata.neo4jEdition,
    data: {},
    storage: undefined,
    isWhole: true,
  });
  for (const [dump, name] of [[neo4j, "neo4j.dump"], [postgres, "prefect.dump"]] as const) {
    if (dump === undefined) throw new Error(`there is no ${name}`);
    assertEquals(dump.name, name);
    assertEquals(await read(dump, false), dump.bytes);
  }
});

Deno.test("archiveMaterial() makes the files of an Enterprise backup a tar again", async () => {
  const archive = await open("enterprise.tar.gz");
  const { neo4j } = archiveMaterial(archive, false);
  if (neo4j === undefined) throw new Error("there is no Neo4j backup");
  assertEquals(neo4j.name, "neo4j-backup.tar");
  // Announced without what a long name takes: a further header, and a record for the name.
  const beyond = await read(neo4j) - neo4j.bytes;
  assertEquals([0, 1024].includes(beyond), true, `${beyond} bytes beyond what was announced`);
});

Deno.test("archiveMaterial() leaves the task manager aside when it shall", async () => {
  const { neo4j, postgres } = archiveMaterial(await open("community.tar.gz"), true);
  assertEquals([neo4j?.name, postgres], ["neo4j.dump", undefined]);
});
