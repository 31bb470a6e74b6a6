import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { DamagedDumpError } from "../../../../src/infrahub/dump/damaged_dump_error.ts";
import type { DumpInspector } from "../../../../src/infrahub/dump/inspector.ts";
import {
  dumpInspector,
  dumpInspectorFor,
  inspectDump,
  neo4jDumpCompression,
} from "../../../../src/infrahub/dump/verification.ts";
import { readAll } from "../_support.ts";

const FIXTURES = new URL("../../../fixtures/dumps/", import.meta.url);
const read = (name: string) => Deno.readFileSync(new URL(name, FIXTURES));
const postgres = () => dumpInspector("postgres", "community");
const community = () => dumpInspector("neo4j", "community");
const enterprise = () => dumpInspector("neo4j", "enterprise");

function inspect(inspector: DumpInspector, bytes: Uint8Array, pieceBytes = bytes.byteLength) {
  for (let at = 0; at < bytes.byteLength; at += Math.max(1, pieceBytes)) {
    // A copy that is wiped afterwards: whoever feeds an inspector reuses the buffer.
    const piece = bytes.slice(at, at + Math.max(1, pieceBytes));
    inspector.observe(piece);
    piece.fill(0xaa);
  }
  return inspector.finish();
}

function problemOf(inspector: DumpInspector, bytes: Uint8Array): string {
  return assertThrows(() => inspect(inspector, bytes), DamagedDumpError).message;
}

const prefixed = (prefix: string, bytes: Uint8Array) => {
  const start = new TextEncoder().encode(prefix);
  const whole = new Uint8Array(start.byteLength + bytes.byteLength);
  whole.set(start);
  whole.set(bytes, start.byteLength);
  return whole;
};

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

Deno.test("dumpInspector() says what is wrong", async (t) => {
  const dump = read("postgres_15.dump");
  const changed = (at: number, value: number, bytes = dump) => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  const text = (value: string) => new TextEncoder().encode(value);
  const rows: [string, DumpInspector, Uint8Array, string][] = [
    ["empty postgres", postgres(), new Uint8Array(0), "the PostgreSQL dump is empty"],
    ["empty neo4j", community(), new Uint8Array(0), "the Neo4j dump is empty"],
    ["empty tar", enterprise(), new Uint8Array(0), "the Neo4j backup is empty"],
    ["an error message", postgres(), text("pg_dump: error: no"), "does not begin with PGDMP"],
    ["another format", postgres(), changed(10, 3), "is not of the custom format (3)"],
    ["cut in the header", postgres(), dump.subarray(0, 8), "cut off inside its header"],
    ["cut in the contents", postgres(), dump.subarray(0, 900), "inside its table of contents"],
    ["one byte short", postgres(), dump.subarray(0, dump.length - 1), "large objects"],
    ["plain text", community(), text("starting Neo4j"), "neither zstd nor gzip"],
    ["wrong prefix", community(), prefixed("DGV1", read("stream.zst")), "neither zstd nor gzip"],
    ["zeros alone", enterprise(), new Uint8Array(10240), "has no files"],
    ["a damaged tar", enterprise(), changed(3, 0x40, read("enterprise_backup.tar")), "tar header"],
  ];
  for (const [name, inspector, bytes, message] of rows) {
    await t.step(name, () => assertStringIncludes(problemOf(inspector, bytes), message));
  }
});

Deno.test("dumpInspector() notices a cut between two blocks of data", () => {
  const dump = read("postgres_15.dump");
  // The block of large objects is the last: its type and its entry's number stand before `hello`.
  const hello = new TextDecoder("latin1").decode(dump).indexOf("hello");
  const cut = dump.subarray(0, hello - 5 - 5 - 5 - 1);
  assertStringIncludes(problemOf(postgres(), cut), "ends without the data of 1 entries");
});

Deno.test("dumpInspector() accepts contents that pg_dump 16 appends once more, if complete", () => {
  const bytes = read("postgres_16_redirected.dump");
  assertEquals(inspect(postgres(), bytes), { format: "PostgreSQL custom-format dump 1.15" });
  const cut = bytes.subarray(0, bytes.length - 1);
  assertStringIncludes(problemOf(postgres(), cut), "table of contents");
});

Deno.test("dumpInspector() says when it cannot verify all", () => {
  const gzip = inspect(community(), read("stream.gz"));
  assertStringIncludes(gzip.limitation ?? "", "shows only when it is loaded");
  const newer = read("postgres_18.dump");
  newer[6] = 99;
  assertStringIncludes(inspect(postgres(), newer).limitation ?? "", "1.99 is not known");
});

Deno.test("dumpInspectorFor() goes by the record's name", () => {
  inspect(dumpInspectorFor("/prefect.dump")!, read("postgres_15.dump"));
  inspect(dumpInspectorFor("/neo4j.dump")!, read("stream.zst"));
  inspect(dumpInspectorFor("/neo4j-backup.tar")!, read("enterprise_backup.tar"));
  assertEquals(dumpInspectorFor("/backup_information.json"), undefined);
});

Deno.test("neo4jDumpCompression() tells by the first bytes", () => {
  assertEquals(neo4jDumpCompression(read("stream.zst").subarray(0, 8)), "zstd");
  assertEquals(neo4jDumpCompression(read("stream.gz").subarray(0, 8)), "gzip");
  assertEquals(neo4jDumpCompression(new TextEncoder().encode("DZV1....")), "zstd");
  assertEquals(neo4jDumpCompression(new TextEncoder().encode("PGDMP...")), undefined);
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
