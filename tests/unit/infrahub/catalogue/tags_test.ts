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
    data: {},
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
    data: {},
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

Deno.test("the tags of a component have the facts of its own data", () => {
  const facts = { graph: 79, neo4j: "2026.05.0", neo4jBytes: 1_048_576, postgres: "15.13" };
  const tags = (component: "neo4j" | "postgres" | "metadata") =>
    buildTags({ ...BACKUP, data: facts }, component).slice(7);
  assertEquals(tags("neo4j"), [
    "infrahub.data.infrahub-graph=79",
    "infrahub.data.neo4j-version=2026.05.0",
    "infrahub.data.neo4j-bytes=1048576",
  ]);
  assertEquals(tags("postgres"), ["infrahub.data.postgres-version=15.13"]);
  assertEquals(tags("metadata"), []);
  const { postgres, ...ofNeo4j } = facts;
  assertEquals(parseTags(tags("neo4j")).data, ofNeo4j);
  assertEquals(parseTags(tags("postgres")).data, { postgres });
  const unreadable = [
    "infrahub.data.infrahub-graph=new",
    "infrahub.data.neo4j-version=",
    "infrahub.data",
  ];
  assertEquals(parseTags(unreadable).data, {});
});
