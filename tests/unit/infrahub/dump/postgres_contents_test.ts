import { assertEquals } from "@std/assert";
import { dumpInspectorFor } from "../../../../src/infrahub/dump/mod.ts";
import { rolesIn } from "../../../../src/infrahub/dump/postgres_contents.ts";

Deno.test("rolesIn() finds who is named by grants, policies and settings", () => {
  const rows: [statements: string, want: string[]][] = [
    ["GRANT SELECT ON TABLE public.t TO bob;", ["bob"]],
    ['REVOKE ALL ON TABLE t FROM "b ""x" ;\nGRANT ALL ON TABLE t TO PUBLIC;', ['b "x']],
    ['GRANT SELECT ON TABLE "x TO y" TO bob WITH GRANT OPTION;', ["bob"]],
    ["SET SESSION AUTHORIZATION al;\nGRANT SELECT ON t TO bob;\nRESET SESSION AUTHORIZATION;", [
      "al",
      "bob",
    ]],
    ["ALTER DEFAULT PRIVILEGES FOR ROLE al IN SCHEMA s GRANT SELECT ON TABLES TO bob;", [
      "al",
      "bob",
    ]],
    ["CREATE POLICY p ON t FOR SELECT TO al, bob USING ((a > 0) AND x FROM y);", ["al", "bob"]],
    ["ALTER ROLE al IN DATABASE d SET work_mem TO '5MB';", ["al"]],
    ["COMMENT ON DATABASE d IS 'GRANT x TO bob';", []],
  ];
  for (const [statements, want] of rows) assertEquals(rolesIn(statements), want, statements);
});

Deno.test("an inspector tells what is in a dump of PostgreSQL", async (t) => {
  const rows: [file: string, minor: number, version: string][] = [
    ["postgres_15.dump", 14, "15"],
    ["postgres_16.dump", 15, "16"],
    ["postgres_18.dump", 16, "18"],
  ];
  for (const [file, minor, version] of rows) {
    await t.step(file, async () => {
      const url = new URL(`../../../fixtures/dumps/${file}`, import.meta.url);
      const inspector = dumpInspectorFor("prefect.dump");
      inspector?.observe(await Deno.readFile(url));
      inspector?.finish();
      const contents = inspector?.postgres;
      assertEquals(contents?.formatMinor, minor);
      assertEquals(contents?.serverVersion.startsWith(version), true);
      assertEquals(contents?.kinds.includes("TABLE"), true);
      assertEquals(contents?.self.definition.startsWith("CREATE DATABASE"), true);
      assertEquals(contents?.owners.length, 1);
    });
  }
});
