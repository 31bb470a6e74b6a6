import { assertEquals, assertThrows } from "@std/assert";
import { InvalidInputError } from "../../../../src/infrahub/mod.ts";
import { parseConnectionUrl } from "../../../../src/infrahub/deployment/connection_url.ts";

const all = (username: string, password: string, database: string, host = "", port = "") => ({
  database,
  username,
  password,
  ...(host === "" ? {} : { host }),
  ...(port === "" ? {} : { port }),
});

Deno.test("parseConnectionUrl() reads what libpq reads", async (t) => {
  const rows: [string, ReturnType<typeof parseConnectionUrl>][] = [
    [
      "postgresql+asyncpg://prefect:prefect-rocks@release-postgresql:5432/prefect",
      all("prefect", "prefect-rocks", "prefect", "release-postgresql", "5432"),
    ],
    ["postgres://u:p@h/d", all("u", "p", "d", "h")],
    ["postgresql://u:p%40%3A%2F%25@h:1/a%20b", all("u", "p@:/%", "a b", "h", "1")],
    ["postgresql://u:p@ss@h/d", all("u", "p@ss", "d", "h")],
    ["postgresql://u:p@h1:1,h2:2/d?sslmode=disable", all("u", "p", "d", "h1,h2", "1,2")],
    ["postgresql://[::1]:5432/d", { database: "d", host: "::1", port: "5432" }],
    ["postgresql:///d?user=u&password=p", all("u", "p", "d")],
    ["postgresql://h?dbname=x&user=u", { database: "x", username: "u", host: "h" }],
    ["postgresql://u@h", { username: "u", host: "h" }],
    ["postgresql://u@/d?host=/run/pg&port=5433", {
      database: "d",
      username: "u",
      host: "/run/pg",
      port: "5433",
    }],
    ["user = u password = 'a b\\'c\\\\' dbname=d", all("u", "a b'c\\", "d")],
    ["host=localhost", { host: "localhost" }],
  ];
  for (const [url, want] of rows) {
    await t.step(url, () => assertEquals(parseConnectionUrl(url), want));
  }
});

Deno.test("parseConnectionUrl() rejects others without repeating them", async (t) => {
  for (
    const url of [
      "sqlite:///secret",
      "secret",
      "",
      "postgres://u:secret%zz@h/d",
      "user=u password='secret",
      "user=u secret",
      "password='it''s'",
    ]
  ) {
    await t.step(url, () => {
      const error = assertThrows(() => parseConnectionUrl(url), InvalidInputError);
      assertEquals(error.message.includes("secret"), false);
    });
  }
});
