/** No password is on a command line or in the log while the program works. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { BACKENDS, backupOf } from "./backends.ts";
import { ComposeBed } from "./compose_bed.ts";
import { sampleProcesses } from "./process_sampler.ts";
import { RunningTool } from "./tool.ts";

/** What must not be seen: the passwords as they are, and as they are in a URL. */
function secretsOf({ deployment }: ComposeBed): string[] {
  const { neo4j, postgres } = deployment.passwords;
  return [neo4j, postgres].flatMap((secret) => [secret, encodeURIComponent(secret)]);
}

function leaks(bed: ComposeBed, texts: readonly string[]): string[] {
  const secrets = secretsOf(bed);
  return texts.filter((text) => secrets.some((secret) => text.includes(secret)));
}

/** Programs that a run starts, by what their command lines say: they must have been seen. */
const PROGRAMS = {
  create: ["pg_dump", "Neo4jAdminCommand\0database\0dump", "org.neo4j.shell.Main"],
  restore: ["pg_restore", "Neo4jAdminCommand\0database\0load", "org.neo4j.shell.Main"],
};

Deno.test("no password on a command line or in the log", async (t) => {
  await using bed = await ComposeBed.start();
  await bed.seed("secrets");
  const folder = await Deno.makeTempDir();

  /** Runs the program, watched; returns what it wrote to standard output. */
  const watch = async (args: readonly string[], programs: readonly string[]): Promise<string> => {
    const { value, sample } = await sampleProcesses(async () => {
      await using run = await RunningTool.start(bed, ["--log-level", "debug", ...args]);
      return { outcome: await run.outcome, events: await run.events() };
    });
    const { outcome, events } = value;
    assertEquals(outcome.code, 0, outcome.stderr);
    for (const program of programs) {
      assert(sample.commandLines.some((line) => line.includes(program)), `${program} was not seen`);
    }
    assertEquals(leaks(bed, sample.commandLines), []);
    // Every client's command line, even those of which no sample was taken; and the log.
    assertEquals(leaks(bed, [...events, outcome.stdout, outcome.stderr]), []);
    return outcome.stdout;
  };

  try {
    await t.step("control: a password on the command line of a container's process", async () => {
      for (const secret of secretsOf(bed)) {
        // Neither docker nor the outer shell have it on theirs.
        const script = `read -r secret; sh -c 'sleep 1; :' control "$secret"`;
        const { sample } = await sampleProcesses(() =>
          bed.deployment.exec("database", ["sh", "-c", script], {
            stdin: new TextEncoder().encode(`${secret}\n`),
          })
        );
        assertNotEquals(leaks(bed, sample.commandLines), [], `of ${sample.rounds} rounds`);
      }
    });
    for (const backend of BACKENDS) {
      await t.step(`${backend.name}: create and restore`, async () => {
        const create = backend.create(folder).filter((arg) => arg !== "--force");
        const backup = backupOf(backend, await watch(create, PROGRAMS.create));
        await watch(backend.restore(folder, backup), PROGRAMS.restore);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
