import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DamagedDumpError } from "../../../../src/infrahub/errors.ts";
import type { DumpInspector } from "../../../../src/infrahub/dump/inspector.ts";
import {
  dumpInspectorFor,
  inspectDump,
  neo4jDumpCompression,
} from "../../../../src/infrahub/dump/verification.ts";
import { readAll } from "../_support.ts";
import { community, enterprise, inspect, postgres, prefixed, read } from "./_inspection.ts";

const SOUND: { name: string; make: () => DumpInspector; bytes: Uint8Array; format: string }[] = [
  ...[
    ["postgres_15.dump", "1.14"],
    ["postgres_15_to_file.dump", "1.14"],
    ["postgres_16.dump", "1.15"],
    ["postgres_18.dump", "1.16"],
  ].map(([name = "", version]) => ({
    name,
    make: postgres,
    bytes: read(name),
    format: `PostgreSQL custom-format dump ${version}`,
  })),
  {
    name: "stream.zst",
    make: community,
    bytes: read("stream.zst"),
    format: "Neo4j dump (zstd)",
  },
  {
    name: "stream.zst after DZV1",
    make: community,
    bytes: prefixed("DZV1", read("stream.zst")),
    format: "Neo4j dump (zstd)",
  },
  {
    name: "enterprise_backup.tar",
    make: enterprise,
    bytes: read("enterprise_backup.tar"),
    format: "tar",
  },
];

Deno.test("dumpInspector() accepts sound dumps, however they are cut into pieces", async (t) => {
  for (const { name, make, bytes, format } of SOUND) {
    await t.step(name, () => {
      for (const pieceBytes of [bytes.byteLength, 4096, 511, 7, 1]) {
        assertEquals(inspect(make(), bytes, pieceBytes), { format });
      }
    });
  }
});

Deno.test("dumpInspector() rejects a dump cut at any byte", async (t) => {
  for (const { name, make, bytes } of SOUND) {
    await t.step(name, () => {
      // A tar is padded with zeros after its two records that say that it ends.
      const end = name.endsWith(".tar") ? 6144 : bytes.byteLength;
      for (let length = 0; length < end; length++) {
        assertThrows(() => inspect(make(), bytes.subarray(0, length)), DamagedDumpError);
      }
    });
  }
});

Deno.test("dumpInspector() rejects bytes after the end", async (t) => {
  for (const { name, make, bytes } of SOUND) {
    await t.step(name, () => {
      const longer = new Uint8Array(bytes.byteLength + 600).fill(0x55);
      longer.set(bytes);
      assertThrows(() => inspect(make(), longer), DamagedDumpError);
    });
  }
});

Deno.test("dumpInspectorFor() goes by the record's name", () => {
  inspect(dumpInspectorFor("/prefect.dump")!, read("postgres_15.dump"));
  inspect(dumpInspectorFor("/neo4j.dump")!, read("stream.zst"));
  inspect(dumpInspectorFor("/neo4j-backup.tar")!, read("enterprise_backup.tar"));
  assertEquals(dumpInspectorFor("/backup_information.json"), undefined);
});

Deno.test("inspectDump() passes bytes on, and fails instead of ending a cut dump", async () => {
  const bytes = read("postgres_15.dump");
  const stream = (content: Uint8Array) =>
    new Blob([content as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>;
  const verdicts: string[] = [];
  const passed = inspectDump(stream(bytes), postgres(), ({ format }) => verdicts.push(format));
  assertEquals(await readAll(passed), bytes);
  assertEquals(verdicts, ["PostgreSQL custom-format dump 1.14"]);
  await assertRejects(
    () => readAll(inspectDump(stream(bytes.subarray(0, 5000)), postgres())),
    DamagedDumpError,
    "cut off",
  );
});

Deno.test("neo4jDumpCompression() tells by the first bytes", () => {
  assertEquals(neo4jDumpCompression(read("stream.zst").subarray(0, 8)), "zstd");
  assertEquals(neo4jDumpCompression(read("stream.gz").subarray(0, 8)), "gzip");
  assertEquals(neo4jDumpCompression(new TextEncoder().encode("DZV1....")), "zstd");
  assertEquals(neo4jDumpCompression(new TextEncoder().encode("PGDMP...")), undefined);
});
