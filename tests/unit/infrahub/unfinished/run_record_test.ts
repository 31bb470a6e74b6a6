import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentRuns } from "../../../../src/infrahub/unfinished/mod.ts";
import type { Leftover } from "../../../../src/infrahub/unfinished/mod.ts";
import { recordingReporter, withTempDirectory } from "../_support.ts";

const PLACE = { kind: "docker", target: "site-a", host: "h", id: "0123456789abcdef" } as const;
const RUN = { command: "restore", host: "h", pid: 7, startedAt: new Date("2026-03-18T14:30:00Z") };
const LEFT: readonly Leftover[] = [{ kind: "services", services: ["cache"] }];

async function withRuns(
  action: (runs: DeploymentRuns, directory: string, lines: readonly string[]) => Promise<void>,
): Promise<void> {
  await withTempDirectory(async (root) => {
    const reporter = recordingReporter();
    const runs = DeploymentRuns.of(`${root}/state`, { place: PLACE }, reporter);
    if (runs === undefined) throw new Error("the place is known");
    await action(runs, `${root}/state`, reporter.lines);
  });
}

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
}

Deno.test("a run is kept while something is left of it, and alive until it ends", async () => {
  await withRuns(async (runs, directory) => {
    assertEquals(await runs.find(), []);
    const record = runs.begin(RUN);
    await record.keep("back", []);
    assertEquals(await runs.find(), []);
    await record.keep("back", LEFT);
    assertEquals(await runs.find(), [{
      ...RUN,
      id: record.id,
      place: PLACE,
      direction: "back",
      keepsOld: false,
      leftovers: LEFT,
      isAlive: true,
    }]);
    for (const name of await names(directory)) {
      assertEquals(((await Deno.stat(`${directory}/${name}`)).mode ?? 0) & 0o777, 0o600);
    }
    await record.keep("on", LEFT);
    await record.end();
    const [left] = await runs.find();
    assertEquals([left?.direction, left?.isAlive], ["on", false]);
    if (left !== undefined) await runs.forget(left);
    assertEquals(await names(directory), []);
  });
});

Deno.test("nothing is left of a run that leaves nothing", async () => {
  await withRuns(async (runs, directory) => {
    const record = runs.begin(RUN);
    await record.keep("back", LEFT);
    await record.keep("back", []);
    await record.end();
    assertEquals(await names(directory), []);
  });
});

Deno.test("a dead run is taken over by one alone", async () => {
  await withRuns(async (runs, directory) => {
    const record = runs.begin(RUN);
    await record.keep("back", LEFT);
    await record.end();
    {
      await using _adopted = await runs.adopt(record);
      await assertRejects(() => runs.adopt(record), Error, "somebody else");
    }
    const [run] = await runs.find();
    if (run === undefined) throw new Error("it is there");
    await runs.reduce(run, []);
    assertEquals((await runs.find())[0]?.leftovers, []);
    await runs.forget(run);
    assertEquals(await names(directory), []);
  });
});

Deno.test("other places have other runs, whatever the deployment is called", async () => {
  await withRuns(async (runs, directory) => {
    const record = runs.begin(RUN);
    await record.keep("back", LEFT);
    await record.end();
    const reporter = recordingReporter();
    const of = (place: typeof PLACE | { kind: "docker"; target: string; host: string }) =>
      DeploymentRuns.of(directory, { place }, reporter);
    assertEquals(await of({ ...PLACE, target: "site-a", id: "0".repeat(16) as never })?.find(), []);
    assertEquals(await of({ kind: "docker", target: "site-b", host: "h" })?.find(), []);
    assertEquals((await of({ kind: "docker", target: "site-a", host: "h" })?.find())?.length, 1);
    assertEquals(DeploymentRuns.of(directory, {}, reporter), undefined);
    const host = { kind: "host", target: "h", host: "h" } as const;
    const ofHost = (name?: string) =>
      DeploymentRuns.of(directory, { place: host, ...(name ? { name } : {}) }, reporter);
    const named = ofHost("prod")?.begin(RUN);
    await named?.keep("back", LEFT);
    await named?.end();
    assertEquals((await ofHost("prod")?.find())?.length, 1);
    assertEquals(await ofHost("test")?.find(), []);
    assertEquals(await ofHost()?.find(), []);
  });
});

Deno.test("what cannot be read or written is told, and does not end a run", async (t) => {
  await t.step("a file of another version", async () => {
    await withRuns(async (runs, directory, lines) => {
      await Deno.mkdir(directory);
      const id = crypto.randomUUID();
      await Deno.writeTextFile(`${directory}/run-${id}.json`, '{"command": "restore"}');
      assertEquals(await runs.find(), []);
      assertStringIncludes(lines.join("\n"), "it is of another version of this program");
    });
  });
  await t.step("no directory", async () => {
    await withRuns(async (runs, directory, lines) => {
      await Deno.writeTextFile(directory, "a file");
      const record = runs.begin(RUN);
      await record.keep("back", LEFT);
      await record.keep("on", LEFT);
      await record.end();
      assertEquals(lines.filter((line) => line.includes("cannot be noted")).length, 1);
    });
  });
});

Deno.test("one run at a time stops services, however many begin; directories disturb nobody", async () => {
  await withRuns(async (runs, directory) => {
    const own: Leftover = { kind: "directory", service: "database", path: "/tmp/x" };
    const first = runs.begin(RUN);
    const second = runs.begin({ ...RUN, command: "create" });
    const third = runs.begin({ ...RUN, command: "create" });
    await second.keep("back", [own]);
    await third.keep("back", [own]);
    await assertRejects(() => first.keep("back", LEFT), Error, "is changing this deployment now");
    await Promise.all([second, third].map((record) => record.keep("back", [])));
    await first.keep("back", LEFT);
    await assertRejects(() => second.keep("back", [own]), Error, "restore of h (process 7)");
    await assertRejects(() => third.keep("back", LEFT), Error, "restore of h (process 7)");
    // What it goes on with has been its own since.
    await first.keep("on", LEFT);
    assertEquals((await runs.find()).map(({ id }) => id), [first.id]);
    for (const record of [first, second, third]) await record.keep("on", []);
    for (const record of [first, second, third]) await record.end();
    assertEquals(await names(directory), []);
  });
});
