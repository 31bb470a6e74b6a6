import { assertEquals } from "@std/assert";
import { bytesSource } from "../../../../src/infrahub/dump/bytes_source.ts";
import { readAll } from "../_support.ts";

Deno.test("bytesSource() can be read more than once", async () => {
  const bytes = new TextEncoder().encode("{}");
  const source = bytesSource("metadata", "/backup_information.json", bytes);
  for (let turn = 0; turn < 2; turn++) {
    const { content, finished } = await source.open(new AbortController().signal);
    assertEquals(await readAll(content), bytes);
    await finished;
  }
});
