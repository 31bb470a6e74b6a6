/**
 * A restore is killed (SIGKILL) before and after each step that changes the deployment: the next
 * commands say so, and `restore --recover` ends with the old or the new data, whole.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { KilledDeployment } from "./_killed_deployment.ts";
import { Workbench } from "../unit/cli/_deployment.ts";

const CHILD = new URL("_killed_restore.ts", import.meta.url).pathname;

/** A step of a restore by a part of its command, and what the data is after the recovery. */
const STEPS: readonly (readonly [string, before: "old" | "new", after: "old" | "new"])[] = [
  ["stop infrahub-server", "old", "old"],
  ["CREATE DATABASE", "old", "old"],
  ["pg_restore --exit-on-error", "old", "old"],
  ["RENAME TO", "old", "old"],
  ["neo4j-admin database load", "old", "old"],
  ["infrahub-watchdog", "old", "old"],
  ["infrahub-exchange", "old", "new"],
  ["kill -CONT", "new", "new"],
  ["databases/neo4j.before-", "new", "new"],
  ["DROP DATABASE", "new", "new"],
  ["start infrahub-server", "new", "new"],
];

/** Kills a restore at a moment; returns the folder of the deployment. */
async function killed(
  bench: Workbench,
  archive: string,
  command: string,
  when: "before" | "after",
): Promise<string> {
  const root = await Deno.makeTempDir({ dir: bench.root });
  KilledDeployment.make(root);
  const child = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--no-check", "--quiet"],
      ...[CHILD, root, archive, command, when],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(child.stderr);
  assertEquals(child.signal, "SIGKILL", `${when} ${command}: ${said}`);
  return root;
}

/** Judges what comes after a restore that was killed. */
async function judge(
  bench: Workbench,
  archive: string,
  root: string,
  moment: string,
  want: "old" | "new",
): Promise<void> {
  const next = async (argv: readonly string[]) => {
    const deployment = new KilledDeployment(root);
    const variables = { XDG_STATE_HOME: `${root}/state` };
    return await bench.run(argv, { backend: "tarball", deployment, variables });
  };
  const state = async () =>
    (await Array.fromAsync(Deno.readDir(`${root}/state/infrahub-backup`))).map(({ name }) => name);
  const [file = ""] = (await state()).filter((name) => name.endsWith(".json"));
  const path = `${root}/state/infrahub-backup/${file}`;
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600, moment);
  assertEquals((await Deno.readTextFile(path)).includes("hush"), false, "a secret");

  const detected = await next(["environment", "detect"]);
  assertStringIncludes(detected.err, "restore of testhost (process 1, begun ", moment);
  for (const argv of [["create", "--force"], ["restore", archive]]) {
    const refused = await next(argv);
    assertEquals(refused.code, 1, `${moment}: ${argv[0]}`);
    assertStringIncludes(refused.err, "was killed while it changed this deployment", moment);
    assertStringIncludes(refused.err, "restore --recover", moment);
    assertEquals(refused.deployment.story, [], `${moment}: ${argv[0]} has touched nothing`);
  }

  const recovered = await next(["restore", "--recover"]);
  assertEquals(recovered.code, 0, `${moment}: ${recovered.err}`);
  assertEquals(recovered.deployment.down, [], moment);
  assertEquals(new KilledDeployment(root).databases(), [
    `prefect: ${want}`,
    `data/databases/neo4j: ${want}`,
    `transactions/neo4j: ${want}`,
  ], moment);
  assertEquals(await state(), [], moment);
  const again = await next(["restore", "--recover"]);
  assertEquals(again.code, 0, moment);
  assertStringIncludes(again.out, "Nothing to recover");
}

Deno.test({
  name: "a restore that is killed at any step is told of, and put right or brought to its end",
  ignore: Deno.build.os === "windows",
  fn: async (t) => {
    await using bench = await Workbench.create();
    const created = await bench.run(["create", "--log-format", "json"], { backend: "tarball" });
    const archive: string = JSON.parse(created.out).path;
    for (const [command, before, after] of STEPS) {
      await t.step(command, async () => {
        const roots = await Promise.all([
          killed(bench, archive, command, "before"),
          killed(bench, archive, command, "after"),
        ]);
        // One after the other: the log belongs to the process.
        await judge(bench, archive, roots[0], `before ${command}`, before);
        await judge(bench, archive, roots[1], `after ${command}`, after);
      });
    }
  },
});
