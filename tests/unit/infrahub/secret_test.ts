import { assertEquals } from "@std/assert";
import { Secret } from "../../../src/infrahub/secret.ts";

Deno.test("Secret shows nothing of itself, however it is printed", () => {
  const secret = new Secret("hush");
  const holder = { password: secret, list: [secret] };
  const printed = [
    String(secret),
    `${secret}`,
    JSON.stringify(holder),
    Deno.inspect(holder, { depth: 9 }),
    new Error(`wrong: ${secret}`).message,
  ];
  for (const text of printed) {
    assertEquals([text.includes("hush"), text.includes("***")], [false, true]);
  }
  assertEquals(Object.values(secret), []);
  assertEquals(secret.reveal(), "hush");
});
