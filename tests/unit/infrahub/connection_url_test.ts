import { assertEquals, assertThrows } from "@std/assert";
import { InvalidInputError, parseConnectionUrl } from "../../../src/infrahub/mod.ts";

const all = (username: string, password: string, database: string) => ({
  database,
  username,
  password,
});

Deno.test("parseConnectionUrl() reads what libpq reads", async (t) => {
  const rows: [string, ReturnType<typeof parseConnectionUrl>][] = [
    [
      "postgresql+asyncpg://prefect:prefect-rocks@release-postgresql:5432/prefect",
      all("prefect", "prefect-rocks", "prefect"),
    ],
    ["postgres://u:p@h/d", all("u", "p", "d")],
    ["postgresql://u:p%40%3A%2F%25@h:1/a%20b", all("u", "p@:/%", "a b")],
    ["postgresql://u:p@ss@h/d", all("u", "p@ss", "d")],
    ["postgresql://u:p@h1:1,h2:2/d?sslmode=disable", all("u", "p", "d")],
    ["postgresql://[::1]:5432/d", { database: "d" }],
    ["postgresql:///d?user=u&password=p", all("u", "p", "d")],
    ["postgresql://h?dbname=x&user=u", { database: "x", username: "u" }],
    ["postgresql://u@h", { username: "u" }],
    ["user = u password = 'a b\\'c\\\\' dbname=d", all("u", "a b'c\\", "d")],
    ["host=localhost", {}],
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
