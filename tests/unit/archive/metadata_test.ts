import { assertEquals, assertThrows } from "@std/assert";
import {
  type BackupMetadata,
  DamagedArchiveError,
  decodeMetadata,
  encodeMetadata,
} from "../../../src/archive/mod.ts";
import { bytesOf } from "./_support.ts";

const FULL: BackupMetadata = {
  metadataVersion: 2025111200,
  backupId: "infrahub_backup_20260318_143002",
  createdAt: "2026-03-18T13:30:02Z",
  toolVersion: "<none>",
  infrahubVersion: "1.5.0",
  components: ["database", "task-manager-db"],
  checksums: new Map([["prefect.dump", "02"], ["database/b", "01"], ["7", "00"]]),
  neo4jEdition: "enterprise",
  redacted: true,
  encrypted: true,
};

const text = (metadata: BackupMetadata) => new TextDecoder().decode(encodeMetadata(metadata));

Deno.test("encodeMetadata writes keys in order, checksums sorted, HTML characters escaped", () => {
  assertEquals(
    text(FULL),
    `{
    "metadata_version": 2025111200,
    "backup_id": "infrahub_backup_20260318_143002",
    "created_at": "2026-03-18T13:30:02Z",
    "tool_version": "\\u003cnone\\u003e",
    "infrahub_version": "1.5.0",
    "components": [
        "database",
        "task-manager-db"
    ],
    "checksums": {
        "7": "00",
        "database/b": "01",
        "prefect.dump": "02"
    },
    "neo4j_edition": "enterprise",
    "redacted": true,
    "encrypted": true
}`,
  );
});

Deno.test("encodeMetadata leaves out what is empty or false", () => {
  const bare: BackupMetadata = {
    ...FULL,
    components: [],
    checksums: new Map(),
    neo4jEdition: "",
    redacted: false,
    encrypted: false,
  };
  assertEquals(Object.keys(JSON.parse(text(bare))), [
    "metadata_version",
    "backup_id",
    "created_at",
    "tool_version",
    "infrahub_version",
    "components",
  ]);
  assertEquals(text(bare).includes('"components": []'), true);
});

Deno.test("encodeMetadata sorts checksums by their UTF-8 bytes", () => {
  // UTF-16 has these two the other way round.
  const checksums = new Map([["\u{1f600}", "2"], ["\uffee", "1"]]);
  const encoded = text({ ...FULL, checksums });
  assertEquals(encoded.indexOf("\uffee") < encoded.indexOf("\u{1f600}"), true);
});

Deno.test("decodeMetadata reads what encodeMetadata writes", () => {
  const sorted = [...FULL.checksums].sort(([a], [b]) => a < b ? -1 : 1);
  assertEquals(decodeMetadata(encodeMetadata(FULL)), { ...FULL, checksums: new Map(sorted) });
});

Deno.test("decodeMetadata takes absent and null fields as empty and passes over unknown ones", () => {
  assertEquals(decodeMetadata(bytesOf('{"components": null, "new_field": [1]}')), {
    metadataVersion: 0,
    backupId: "",
    createdAt: "",
    toolVersion: "",
    infrahubVersion: "",
    components: [],
    checksums: new Map(),
    neo4jEdition: "",
    redacted: false,
    encrypted: false,
  });
});

Deno.test("decodeMetadata keeps a checksum for a file called __proto__", () => {
  const { checksums } = decodeMetadata(bytesOf('{"checksums": {"__proto__": "00"}}'));
  assertEquals([...checksums], [["__proto__", "00"]]);
});

Deno.test("decodeMetadata rejects what is no metadata", async (t) => {
  const cases: [name: string, json: string, message: string][] = [
    ["nothing", "", "failed to parse metadata: "],
    ["no JSON", "{", "failed to parse metadata: "],
    ["an array", "[]", "failed to parse metadata: it is not a JSON object"],
    ["null", "null", "failed to parse metadata: it is not a JSON object"],
    ["a text version", '{"metadata_version": "1"}', '"metadata_version" is not an integer'],
    ["a fractional version", '{"metadata_version": 1.5}', '"metadata_version" is not an integer'],
    ["a number as id", '{"backup_id": 1}', '"backup_id" is not a string'],
    ["components of numbers", '{"components": [1]}', '"components" is not an array of strings'],
    ["a list of checksums", '{"checksums": []}', '"checksums" is not an object of strings'],
    ["checksums of null", '{"checksums": {"a": null}}', '"checksums" is not an object of strings'],
    ["a text flag", '{"redacted": "true"}', '"redacted" is not a boolean'],
  ];
  for (const [name, json, message] of cases) {
    await t.step(name, () => {
      assertThrows(() => decodeMetadata(bytesOf(json)), DamagedArchiveError, message);
    });
  }
});
