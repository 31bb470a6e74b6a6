import { assertEquals } from "@std/assert";
import {
  type BackupDescription,
  buildTags,
  parseTags,
} from "../../../../src/infrahub/catalogue/tags.ts";

const BACKUP: BackupDescription = {
  backupId: "20260318_143000",
  components: ["neo4j", "postgres", "metadata"],
  neo4jEdition: "community",
  infrahubVersion: "1.2.0",
  toolVersion: "0.1.0",
  redacted: false,
};

Deno.test("buildTags writes all tags in the Go tool's order", () => {
  assertEquals(buildTags(BACKUP, "postgres"), [
    "infrahub.backup-id=20260318_143000",
    "infrahub.component=postgres",
    "infrahub.backup-status=complete",
    "infrahub.version=1.2.0",
    "infrahub.backup-tool-version=0.1.0",
    "infrahub.neo4j-edition=community",
    "infrahub.components=neo4j,postgres,metadata",
  ]);
});

Deno.test("parseTags reads what buildTags wrote", () => {
  assertEquals(parseTags(buildTags(BACKUP, "neo4j")), {
    backupId: "20260318_143000",
    component: "neo4j",
    infrahubVersion: "1.2.0",
    toolVersion: "0.1.0",
    redacted: false,
    rawDumps: false,
    neo4jEdition: "community",
    components: ["neo4j", "postgres", "metadata"],
  });
});

Deno.test("parseTags leaves out what is missing and ignores what is none of ours", () => {
  const none = {
    backupId: undefined,
    component: undefined,
    infrahubVersion: undefined,
    toolVersion: undefined,
    neo4jEdition: undefined,
    components: undefined,
    redacted: false,
    rawDumps: false,
  };
  assertEquals(parseTags([]), none);
  assertEquals(
    parseTags([
      "daily",
      "=x",
      "owner=me",
      "infrahub.redacted=true",
      "infrahub.components=",
      "infrahub.version=a=b",
      "infrahub.version=second",
    ]),
    { ...none, infrahubVersion: "a=b", redacted: true },
  );
});
