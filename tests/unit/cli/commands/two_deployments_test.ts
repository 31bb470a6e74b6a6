/** Two deployments and one repository, or one folder: nothing of one reaches the other. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DUMPS, type Scenario, ScriptedDeployment, Workbench } from "../_deployment.ts";

const JSON_LOG = ["--log-format", "json", "--quiet"];

const site = (target: string, scenario: Scenario = {}) =>
  new ScriptedDeployment({ edition: "enterprise", target, ...scenario });

interface Created {
  readonly backup_id: string;
  readonly run: string;
  readonly path?: string;
}

async function backUp(
  bench: Workbench,
  target: string,
  options: { scenario?: Scenario; backend?: "plakar" | "tarball"; args?: string[] } = {},
): Promise<Created> {
  const { scenario, backend = "plakar", args = [] } = options;
  const deployment = site(target, scenario);
  const run = await bench.run(["create", ...args, ...JSON_LOG], { deployment, backend });
  assertEquals(run.code, 0, run.err);
  return JSON.parse(run.out);
}

Deno.test("restore without an id takes the connected deployment's newest backup", async () => {
  await using bench = await Workbench.create();
  const a = await backUp(bench, "site-a");
  const b = await backUp(bench, "site-b");
  const dryRun = await bench.run(["restore", "--dry-run"], { deployment: site("site-a") });
  assertEquals(dryRun.code, 0, dryRun.err);
  assertMatch(dryRun.out, new RegExp(`^Backup ${a.backup_id} is sound`));
  assertMatch(dryRun.out, /Made of site-a@testhost on .*; restored into site-a@testhost\n$/);
  const json = await bench.run(["restore", "--dry-run", ...JSON_LOG], {
    deployment: site("site-b"),
  });
  const { backup_id, origin, into } = JSON.parse(json.out);
  assertEquals([backup_id, origin.target, into], [b.backup_id, "site-b", "site-b@testhost"]);
  const restored = await bench.run(["restore", ...JSON_LOG], { deployment: site("site-a") });
  assertEquals(JSON.parse(restored.out).backup_id, a.backup_id);
});

Deno.test("another deployment's backup is restored only when it and its deployment are named", async () => {
  await using bench = await Workbench.create();
  const { backup_id: id } = await backUp(bench, "site-b");
  const attempt = (args: string[]) =>
    bench.run(["restore", ...args], { deployment: site("site-a") });
  for (const args of [[], ["--backup-id", id], ["--from-deployment", "site-b"]]) {
    const { code, err, deployment } = await attempt(args);
    assertEquals([code, deployment.story], [1, []], err);
    assertStringIncludes(err, "site-b");
  }
  const { code, err } = await attempt(["--backup-id", id, "--from-deployment", "site-b"]);
  assertEquals(code, 0, err);
  assertStringIncludes(err, "Restoring a backup of site-b@testhost into site-a@testhost");
});

Deno.test("an archive of another deployment is restored only as such", async () => {
  await using bench = await Workbench.create();
  const { path = "" } = await backUp(bench, "site-b", { backend: "tarball" });
  const attempt = (args: string[]) =>
    bench.run(["restore", path, ...args], { deployment: site("site-a"), backend: "tarball" });
  const refused = await attempt([]);
  assertEquals([refused.code, refused.deployment.story], [1, []]);
  assertStringIncludes(refused.err, "--from-deployment site-b");
  const { code, err } = await attempt(["--from-deployment", "site-b"]);
  assertEquals(code, 0, err);
});

Deno.test("a smaller backup than another deployment's is not suspicious", async () => {
  for (const backend of ["plakar", "tarball"] as const) {
    await using bench = await Workbench.create();
    const large = { backend, scenario: { postgres: DUMPS.postgres } };
    const shrink = ["--shrink-warning", "1"];
    await backUp(bench, "site-a", large);
    await backUp(bench, "site-b", { backend, args: [...shrink, "--exclude-taskmanager"] });
    // Nor is one without a component that the one before it had.
    await backUp(bench, "site-a", { backend, args: [...shrink, "--exclude-taskmanager"] });
  }
});

Deno.test("--resume adds nothing to another deployment's backup", async () => {
  await using bench = await Workbench.create();
  const failing = site("site-b", { postgres: "fails" });
  assertEquals((await bench.run(["create", ...JSON_LOG], { deployment: failing })).code, 1);
  const [group] = await bench.groups();
  if (group === undefined) throw new Error("nothing was stored");
  const resume = (target: string) =>
    bench.run(["create", "--resume", group.backup_id], { deployment: site(target) });
  const refused = await resume("site-a");
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.err, "it is of site-b@testhost");
  const check = await bench.run(["snapshots", "check"]);
  assertEquals(check.code, 4, check.err);
  assertStringIncludes(check.out, `Incomplete backup ${group.backup_id} of site-b@testhost`);
  assertEquals((await resume("site-b")).code, 0);
  assertEquals((await bench.groups()).map(({ status }) => status), ["complete"]);
  assertEquals((await bench.run(["snapshots", "check"])).code, 0);
});

Deno.test("snapshots list shows and filters origins", async () => {
  await using bench = await Workbench.create();
  const a = await backUp(bench, "site-a");
  const b = await backUp(bench, "site-b", { args: ["--deployment", "blue"] });
  const ids = async (args: string[]) => {
    const { code, out, err } = await bench.run(["snapshots", "list", ...JSON_LOG, ...args]);
    assertEquals(code, 0, err);
    return out === "" ? [] : JSON.parse(out).map((group: Created) => group.backup_id);
  };
  assertEquals(await ids([]), [b.backup_id, a.backup_id]);
  assertEquals(await ids(["--project", "site-a"]), [a.backup_id]);
  assertEquals(await ids(["--deployment", "blue"]), [b.backup_id]);
  assertEquals(await ids(["--deployment", "site-a"]), [a.backup_id]);
  assertEquals(await ids(["--backup-id", a.backup_id]), [a.backup_id]);
  assertEquals(await ids(["--project", "site-c"]), []);
  const { out } = await bench.run(["snapshots", "list"]);
  assertMatch(out, /COMPONENTS +ORIGIN\n.* blue\n.* site-a@testhost\n$/);
});

Deno.test("two archives of one second have two names, and say whose they are", async () => {
  await using bench = await Workbench.create();
  const [a, b] = await Promise.all([
    backUp(bench, "site-a", { backend: "tarball" }),
    backUp(bench, "site-b", { backend: "tarball" }),
  ]);
  assert(a.path !== b.path && a.backup_id !== b.backup_id && a.run !== b.run);
  assertEquals((await bench.archives()).length, 2);
});
