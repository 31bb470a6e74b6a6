import { assertEquals } from "@std/assert";
import { encodeMetadata } from "../../../../src/infrahub/catalogue/metadata.ts";

Deno.test("encodeMetadata() writes the bytes that the Go tool writes", () => {
  const backup = {
    backupId: "20260102_030405",
    components: ["neo4j", "metadata"] as const,
    neo4jEdition: "community" as const,
    infrahubVersion: "1.2.0",
    toolVersion: "0.1",
    redacted: false,
  };
  const createdAt = new Date("2026-01-02T03:04:05.678Z");
  const encode = (redacted: boolean) =>
    new TextDecoder().decode(encodeMetadata({ ...backup, redacted }, createdAt));
  const start = `{
    "metadata_version": 2025111200,
    "backup_id": "infrahub_backup_20260102_030405",
    "created_at": "2026-01-02T03:04:05Z",
    "tool_version": "0.1",
    "infrahub_version": "1.2.0",
    "components": [
        "neo4j",
        "metadata"
    ],
    "neo4j_edition": "community"`;
  assertEquals(encode(false), `${start}\n}`);
  assertEquals(encode(true), `${start},\n    "redacted": true\n}`);
  const versions = { graph: 79, postgres: "15.13" };
  assertEquals(
    new TextDecoder().decode(encodeMetadata({ ...backup, data: versions }, createdAt)),
    `${start},
    "data": {
        "infrahub_graph": "79",
        "postgres_version": "15.13"
    }
}`,
  );
});
