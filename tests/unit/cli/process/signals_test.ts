/** SIGTERM before, or failure of, each single command of a whole create and a whole restore. */

import { assert, assertEquals } from "@std/assert";
import { failure } from "../../infrahub/fake_environment.ts";
import { type Scenario, ScriptedDeployment, terminate, Workbench } from "../_deployment.ts";

/** As many application services are there. */
const STARTS = 6;
const OPTIONS = { backend: "tarball" } as const;

/** What happens to one command of a run. */
type Disturbance = (controller: AbortController) => void;

const failOnce: Disturbance = () => {
  throw failure(["x"], 1, "disturbed");
};

/** Runs the program once undisturbed, then once for each of its commands with that one disturbed. */
async function sweep(
  bench: Workbench,
  argv: readonly string[],
  scenario: Scenario,
  disturb: Disturbance,
  check: (
    code: number,
    result: { ok: boolean; path?: string },
    number: number,
    deployment: ScriptedDeployment,
  ) => Promise<void>,
): Promise<void> {
  const undisturbed = new ScriptedDeployment(scenario);
  const { code, err } = await bench.run(argv, { ...OPTIONS, deployment: undisturbed });
  assertEquals(code, 0, err);
  assert(undisturbed.callCount > 15, `${undisturbed.callCount} commands`);
  for (let number = 1; number <= undisturbed.callCount; number++) {
    const controller = new AbortController();
    const deployment = new ScriptedDeployment({
      ...scenario,
      onCall: (current) => current === number && disturb(controller),
    });
    const run = await bench.run([...argv, "--log-format", "json"], {
      ...OPTIONS,
      deployment,
      controller,
    });
    assertEquals(deployment.down, [], `${number}: ${run.err}`);
    assertEquals(
      deployment.story.filter((line) => line === "hold Neo4j").length > 0 &&
        !deployment.story.includes("resume Neo4j"),
      false,
      `${number}: Neo4j stays frozen`,
    );
    await check(run.code, JSON.parse(run.out), number, deployment);
  }
}

for (const edition of ["community", "enterprise"] as const) {
  Deno.test(`create, interrupted anywhere, leaves all running and no false backup (${edition})`, async () => {
    await using bench = await Workbench.create();
    let known = 1;
    await sweep(bench, ["create"], { edition }, terminate, async (code, { ok, path }, number) => {
      const archives = (await bench.archives()).length;
      // Too late to interrupt anything: then there is an archive, and it was said.
      if (code === 0) known++;
      else assertEquals([code, ok, path], [143, false, undefined], `before command ${number}`);
      assertEquals(archives, known, `before command ${number}`);
    });
  });

  Deno.test(`restore, interrupted anywhere, leaves all running and is no success (${edition})`, async () => {
    await using bench = await Workbench.create();
    const deployment = new ScriptedDeployment({ edition });
    const created = await bench.run(["create", "--log-format", "json"], { ...OPTIONS, deployment });
    const argv = ["restore", JSON.parse(created.out).path];
    let late = 0;
    await sweep(bench, argv, { edition }, terminate, (code, { ok }, number) => {
      // Only the services that run already are started once more after the last step.
      if (code === 0) late++;
      assertEquals([code, ok], code === 0 ? [0, true] : [143, false], `before command ${number}`);
      assertEquals(late > 0, code === 0, `before command ${number}`);
      return Promise.resolve();
    });
    assert(late <= STARTS, `${late} times too late`);
  });

  Deno.test(`create, with any command failing once, leaves all running and tells the truth (${edition})`, async () => {
    await using bench = await Workbench.create();
    let known = 1;
    await sweep(bench, ["create"], { edition }, failOnce, async (code, { ok, path }, number) => {
      assertEquals(ok, code === 0, `command ${number}`);
      // A backup that was made before something failed is said to be there.
      if (path !== undefined) known++;
      else assertEquals(code, 1, `command ${number}`);
      assertEquals((await bench.archives()).length, known, `command ${number}`);
    });
  });

  Deno.test(`restore, with any command failing once, leaves all running and tells the truth (${edition})`, async () => {
    await using bench = await Workbench.create();
    const deployment = new ScriptedDeployment({ edition });
    const created = await bench.run(["create", "--log-format", "json"], { ...OPTIONS, deployment });
    const argv = ["restore", JSON.parse(created.out).path];
    await sweep(bench, argv, { edition }, failOnce, (code, { ok }, number, disturbed) => {
      assertEquals(ok, code === 0, `command ${number}`);
      // Both dumps have arrived in any success.
      if (code === 0) assertEquals(disturbed.received.size, 2, `command ${number}`);
      return Promise.resolve();
    });
  });
}
