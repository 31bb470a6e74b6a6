import { assertEquals } from "@std/assert";
import { databaseArgument } from "../../../../src/infrahub/postgres/client.ts";
import { quoteSqlName, quoteSqlText } from "../../../../src/infrahub/postgres/sql.ts";

Deno.test("names and texts are quoted in SQL", () => {
  assertEquals(quoteSqlName('a"b'), '"a""b"');
  assertEquals(quoteSqlText("a'b"), "'a''b'");
  assertEquals(quoteSqlText("a\\'b"), "E'a\\\\''b'");
  assertEquals(databaseArgument("prefect"), "prefect");
  assertEquals(databaseArgument("a=b'c"), "dbname='a=b\\'c'");
  assertEquals(databaseArgument("a", { sslmode: "require" }), "dbname='a' sslmode='require'");
});
