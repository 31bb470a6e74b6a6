import { assertEquals, assertThrows } from "@std/assert";
import { InvalidInputError } from "../../../../src/infrahub/mod.ts";
import { parseConnectionUrl } from "../../../../src/infrahub/postgres/connection_url.ts";

/** `host:port` of each server, then role, password and database, and the parameters. */
function read(url: string): string {
  const { endpoints = [], username, password, database, parameters } = parseConnectionUrl(url);
  const at = endpoints.map(({ host, port }) => `${host}|${port}`).join(" ");
  const others = Object.entries(parameters).map(([name, value]) => ` ${name}=${value}`).join("");
  return `${at} ${username ?? "-"} ${password ?? "-"} ${database ?? "-"}${others}`;
}

Deno.test("parseConnectionUrl() reads what SQLAlchemy and libpq read", async (t) => {
  const rows: [url: string, want: string][] = [
    // SQLAlchemy's, where the driver is named.
    ["postgresql+asyncpg://prefect:rocks@db:5432/prefect", "db|5432 prefect rocks prefect"],
    ["postgresql+asyncpg://u:S3cret/pa?rt@h:5433/d", "h|5433 u S3cret/pa?rt d"],
    ["postgresql+asyncpg://u:1234/pa@h/d", "h| u 1234/pa d"],
    ["postgresql+asyncpg://u:a:b#c&d=e f@h/d", "h| u a:b#c&d=e f d"],
    ["postgresql+asyncpg://u:100%@h/d", "h| u 100% d"],
    ["postgresql+asyncpg://u:p+q%2B%40@h/d", "h| u p+q+@ d"],
    ["postgresql+asyncpg://u:%E2%82%AC@h/d", "h| u € d"],
    ["postgresql+asyncpg://me@corp:p@h/d", "h| me@corp p d"],
    ["postgresql+asyncpg://u:p@h/d%20b", "h| u p d%20b"],
    ["postgresql+asyncpg://u:p@[::1]:5433/d", "::1|5433 u p d"],
    ["postgresql+asyncpg://u:p@[::1]/d?ssl=require", "::1| u p d sslmode=require"],
    ["postgresql+asyncpg://u:p@/d?host=/run/pg&port=5433", "/run/pg|5433 u p d"],
    ["postgresql+asyncpg://u:p@:5433/d?host=/run/pg", "/run/pg|5433 u p d"],
    ["postgresql+asyncpg://u:p@other/d?host=/run/pg", "/run/pg| u p d"],
    ["postgresql+asyncpg://u:p@/d?host=h1:1&host=h2:2", "h1|1 h2|2 u p d"],
    ["postgresql+asyncpg://u:p@/d?host=h1,h2&port=1,2", "h1|1 h2|2 u p d"],
    ["postgresql+asyncpg://u:p@/d?host=h1,h2&port=7", "h1|7 h2|7 u p d"],
    ["postgresql+asyncpg://u:p@/d?host=h:7", "h|7 u p d"],
    ["postgresql+asyncpg://u:p@/d?host=::1&port=7", "::1|7 u p d"],
    ["postgresql+asyncpg://u:p@%2Frun%2Fpg/d", "/run/pg| u p d"],
    ["postgresql+asyncpg://h/d?user=u&password=p%26&database=e", "h| u p& e"],
    ["postgresql+asyncpg://u@h", "h| u - -"],
    ["postgresql+asyncpg:///d", " - - d"],
    [
      "postgresql+asyncpg://u:p@h/d?timeout=3&prepared_statement_cache_size=0&application_name=a+b",
      "h| u p d application_name=a b",
    ],
    ["postgresql+psycopg://u:p@h1:1,h2:2/d", "h1|1 h2|2 u p d"],
    // libpq's, where it is not.
    ["postgres://u:p@h/d", "h| u p d"],
    ["postgresql://u:p%40%3A%2F%25@h:1/a%20b", "h|1 u p@:/% a b"],
    ["postgresql://u:S3cret/pa?rt@h:5433/d", "h|5433 u S3cret/pa?rt d"],
    ["postgresql://u:p@h1:1,h2:2/d?sslmode=disable", "h1|1 h2|2 u p d sslmode=disable"],
    ["postgresql://[::1]:5432/d", "::1|5432 - - d"],
    ["postgresql:///d?user=u&password=p", " u p d"],
    ["postgresql://h?dbname=x&user=u", "h| u - x"],
    ["postgresql://u@/d?host=/run/pg&port=5433", "/run/pg|5433 u - d"],
    [
      "postgresql://h/d?application_name=a+b&ssl=true",
      "h| - - d application_name=a+b sslmode=require",
    ],
    [
      "postgresql://h/d?sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k",
      "h| - - d sslmode=verify-full sslrootcert=/ca sslcert=/c sslkey=/k",
    ],
    ["user = u password = 'a b\\'c\\\\' dbname=d", " u a b'c\\ d"],
    ["host=h1,h2 port=1,2 hostaddr=1.1.1.1,2.2.2.2", "h1|1 h2|2 - - - hostaddr=1.1.1.1,2.2.2.2"],
    ["host='@abstract'", "@abstract| - - -"],
  ];
  for (const [url, want] of rows) await t.step(url, () => assertEquals(read(url), want));
});

Deno.test("parseConnectionUrl() refuses others, and shows no part of a password", async (t) => {
  const rows: [url: string, problem: string][] = [
    ["sqlite+aiosqlite:////secret.db", "names another database system (sqlite+aiosqlite)"],
    ["mysql://u:secret@h/d", "names another database system (mysql)"],
    ["postgresqlx://u:secret@h/d", "names another database system (postgresqlx)"],
    ["secret", "is neither a postgresql:// URL nor key=value pairs"],
    ["", "is neither a postgresql:// URL nor key=value pairs"],
    ["user=u password='secret", "is neither"],
    ["user=u secret", "is neither"],
    ["password='it''secret'", "is neither"],
    // A password with an "@" that is not encoded, and more of it behind.
    ["postgresql+asyncpg://u:p@secret@h/d", "cannot be read"],
    ["postgresql://u:p@secret@h/d", "cannot be read"],
    ["postgresql+asyncpg://u:1234/secret@rt@h/d", "cannot be read"],
    ["postgresql+asyncpg://u:p@ss/secret@h/d", "cannot be read"],
    ["postgresql://u:p@ss/secret@h/d", "cannot be read"],
    ["postgresql+asyncpg://u:p@ss?secret@h/d", "cannot be read"],
    ["postgresql+asyncpg://u:p@ss?secret=1@h/d", "cannot be read"],
    // One server for psql, another for SQLAlchemy.
    ["postgresql://u:1234/secret@h/d", "can be read as two different servers"],
    ["postgresql://h:5432/d?options=secret@b", "can be read as two different servers"],
    ["postgresql+asyncpg://u:secret@h:99999/d", "cannot be read"],
    ["postgresql+asyncpg://u:secret@h:x/d", "cannot be read"],
    ["postgresql+asyncpg://u:secret@h h/d", "cannot be read"],
    ["postgresql+asyncpg://u:secret%FF@h/d", "has a character that cannot be handed on"],
    ["postgresql+asyncpg://u:secret%0A@h/d", "has a character that cannot be handed on"],
    ["postgresql+asyncpg://u:p@/d?host=a,b&port=1,2,3", "names 2 hosts and 3 ports"],
    [
      "postgresql+asyncpg://u:p@h/d?sslpassword=secret",
      "the parameter sslpassword cannot be honoured",
    ],
    ["postgresql+asyncpg://u:p@h/d?sslmode=secret", "sslmode has to be one of disable, allow"],
    ["postgresql+asyncpg://u:p@h/d?ssl=secret", "ssl has to be one of disable, allow"],
    ["postgresql+asyncpg://u:p@h/d?ssl=require&sslmode=prefer", "ssl and sslmode contradict"],
    ["postgresql+asyncpg://u:p@h/d?user=secret&user=b", "gives user twice"],
    ["postgresql+asyncpg://u:p@h/d?Secret%21=b", "one of its parameters cannot be honoured"],
  ];
  for (const [url, problem] of rows) {
    await t.step(url, () => {
      const { message } = assertThrows(() => parseConnectionUrl(url), InvalidInputError);
      assertEquals(message.slice(0, problem.length), problem);
      assertEquals(message.toLowerCase().includes("secret"), false, message);
    });
  }
});
