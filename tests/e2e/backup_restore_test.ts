/** Backups of real databases by the program itself, and the way back. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ComposeBed } from "./compose_bed.ts";
import { roundTrip } from "./round_trip.ts";
import { runTool } from "./tool.ts";

Deno.test("real PostgreSQL and Neo4j Community come back from backups", async (t) => {
  await using bed = await ComposeBed.start();
  await roundTrip(t, bed, "compose");

  await t.step("a project that does not exist is refused", async () => {
    const create = ["--project", "no-such-project", "create", "--force"];
    const { code, stderr } = await runTool(bed, create);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "no-such-project");
  });
});
