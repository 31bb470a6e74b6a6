import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { resolveSnapshot } from "../../../../src/infrahub/catalogue/snapshot_id.ts";
import { InvalidInputError } from "../../../../src/infrahub/errors.ts";
import { storeComponent, withRepository } from "../_repository.ts";

Deno.test("resolveSnapshot() takes any prefix that fits one snapshot, in either case", async () => {
  await withRepository(async (repository) => {
    const id = await storeComponent(repository, { component: "neo4j" });
    for (const length of [1, 8, 64]) {
      assertEquals(resolveSnapshot(repository, id.slice(0, length)), id);
    }
    assertEquals(resolveSnapshot(repository, id.slice(0, 16).toUpperCase()), id);
  });
});

Deno.test("resolveSnapshot() says why a prefix names no snapshot", async () => {
  await withRepository(async (repository) => {
    const problem = (prefix: string) =>
      assertThrows(() => resolveSnapshot(repository, prefix), InvalidInputError).message;
    assertEquals(problem("ab"), "snapshot not found: ab (repository contains no snapshots)");
    // One more than there are digits: two of them begin alike.
    const ids: string[] = [];
    for (let count = 0; count < 17; count++) {
      ids.push(await storeComponent(repository, { component: "metadata" }));
    }
    const first = (id: string) => id.slice(0, 1);
    const shared = ids.map(first).find((digit, at, all) => all.indexOf(digit) < at) ?? "";
    const count = ids.filter((id) => first(id) === shared).length;
    assertEquals(
      problem(shared),
      `ambiguous snapshot ID "${shared}": matches ${count} snapshots; provide a longer prefix`,
    );
    assertEquals(problem("xyz"), 'invalid snapshot ID "xyz": not valid hex');
    const [id = ""] = ids;
    const missing = problem(id.slice(0, 63) + (id.endsWith("0") ? "1" : "0"));
    assertStringIncludes(missing, `\nAvailable snapshots: `);
    for (const one of ids) assertStringIncludes(missing, one.slice(0, 16));
  });
});
