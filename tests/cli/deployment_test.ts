/** Works on a deployment behind a stand-in `docker`, which runs what it is told on this host. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bench } from "./_bench.ts";
import { makeStandInDeployment } from "./_stand_in_deployment.ts";

/** The command lines of all processes that there are. */
async function commandLines(): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // One that has ended meanwhile has no command line any more.
    lines.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
  }
  return lines;
}

Deno.test("a deployment is backed up, and no command line or log shows a secret", async () => {
  await using bench = await Bench.create();
  const env = await makeStandInDeployment(`${bench.root}/lab`, ["neo4j", "postgres"]);
  const lab = `${bench.root}/lab`;
  const child = bench.start(["create", "--log-level", "debug"], { env });
  const output = child.output();
  // Both dumps run at the same time; opening a pipe waits for the other side.
  const ended = output.then(() => Promise.reject(new Error("ended before it came to the dumps")));
  ended.catch(() => {}); // It ends later, as it should.
  for (const component of ["neo4j", "postgres"]) {
    await Promise.race([Deno.readTextFile(`${lab}/reached.${component}`), ended]);
  }
  const lines = await commandLines();
  assertEquals(lines.filter((line) => line.includes(`${lab}/pg_dump`)).length, 1);
  assertEquals(lines.filter((line) => /hush-(neo4j|pg)/.test(line)), []);
  for (const component of ["neo4j", "postgres"]) {
    await Deno.writeTextFile(`${lab}/go.${component}`, "");
  }
  const { code, stdout, stderr } = await output;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stderr));
  assertMatch(text(stdout), /^Backup \d{8}_\d{6} complete: 3 components, [^\n]*\n$/);
  const calls = await Deno.readTextFile(`${lab}/calls`);
  assertEquals(/hush-(neo4j|pg)/.test(text(stderr) + text(stdout) + calls), false);
  assertMatch(
    calls,
    /^compose -p lab exec -T -e \S+ task-manager-db sh -c IFS=.* sh pg_dump -Fc -Z0 -h localhost -U p -d prefect$/m,
  );
  assertEquals(/^compose -p lab (start|stop)/m.test(calls), false);
  const [group] = await bench.json(["snapshots", "list"]);
  assertEquals([group.status, group.neo4j_edition, group.infrahub_version], [
    "complete",
    "enterprise",
    "1.2.0",
  ]);
  await bench.assertSound();

  const plan = await bench.succeed(["restore", "--dry-run"], { env });
  assertStringIncludes(plan.stdout, "restore Neo4j (enterprise) from neo4j-backup.tar");
  assertEquals(
    /^compose -p lab (start|stop)/m.test(await Deno.readTextFile(`${lab}/calls`)),
    false,
  );
});

Deno.test("a target that is named is the only one", async () => {
  await using bench = await Bench.create();
  const env = await makeStandInDeployment(`${bench.root}/lab`);
  const { stdout } = await bench.succeed(["environment", "detect", "--json"], { env });
  const { kind, target } = JSON.parse(stdout);
  assertEquals([kind, target], ["docker", "lab"]);
  const listed = await bench.succeed(["environment", "list"], { env });
  assertEquals(listed.stdout, "  lab\n");
});

Deno.test("SIGTERM in the middle of a restore: services run again, the old data is there", async () => {
  await using bench = await Bench.create();
  const env = await makeStandInDeployment(`${bench.root}/lab`, ["restore"]);
  const lab = `${bench.root}/lab`;
  await bench.succeed(["create"], { env });
  const child = bench.start(["restore"], { env });
  await Deno.readTextFile(`${lab}/reached.restore`);
  const down = async () =>
    (await Array.fromAsync(Deno.readDir(lab))).map(({ name }) => name)
      .filter((name) => name.startsWith("down.")).sort();
  assertEquals(await down(), [
    "down.cache",
    "down.infrahub-server",
    "down.message-queue",
    "down.task-manager",
    "down.task-manager-background-svc",
    "down.task-worker",
  ]);
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 143, text);
  assertStringIncludes(text, "Neo4j: unchanged");
  assertStringIncludes(text, "PostgreSQL: unchanged");
  assertEquals(text.trim().split("\n").at(-1), "Error: interrupted by SIGTERM");
  assertEquals(await down(), []);
  const lines = await commandLines();
  assertEquals(lines.filter((line) => line.includes(`${lab}/`)), []);
});

Deno.test("a restore that fails exits with 1 and says what state everything is in", async () => {
  await using bench = await Bench.create();
  const env = await makeStandInDeployment(`${bench.root}/lab`);
  await bench.succeed(["create"], { env });
  const lab = `${bench.root}/lab`;
  await Deno.writeTextFile(
    `${lab}/pg_restore`,
    "#!/bin/sh\ncat >/dev/null\necho boom >&2; exit 1\n",
  );
  const { code, stdout, stderr } = await bench.run(["restore", "--log-format", "json"], { env });
  assertEquals(code, 1, stderr);
  const { ok, error } = JSON.parse(stdout);
  assertEquals(ok, false);
  assertMatch(error, /^restore failed: failed to restore postgresql: [^]*boom/);
  assertStringIncludes(error, "Neo4j: unchanged\n  PostgreSQL: unchanged\n  services: those");
  const names = (await Array.fromAsync(Deno.readDir(lab))).map(({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith("down.")), []);
});
