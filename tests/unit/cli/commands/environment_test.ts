import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../../../src/cli/mod.ts";
import {
  CommandFailedError,
  type DetectOptions,
  EnvironmentError,
} from "../../../../src/environment/mod.ts";
import { ScriptedDeployment } from "../_deployment.ts";
import { parseLines } from "../../../cli/_json_lines.ts";
import { recordingContext } from "../_support.ts";

/** Runs `environment detect` and returns how the deployment was looked for. */
async function detect(argv: readonly string[], variables: Record<string, string> = {}) {
  let asked: DetectOptions = {};
  const context = recordingContext(variables, {
    detectEnvironment: (options) => {
      asked = options;
      return Promise.resolve(new ScriptedDeployment());
    },
  });
  const code = await run(["environment", "detect", ...argv], context);
  const { project, namespace, host, containers, controlTimeoutMs } = asked;
  const limit = controlTimeoutMs === undefined ? {} : { controlTimeoutMs };
  const target = { project, namespace, host, containers, ...limit };
  return { code, out: context.out(), err: context.err(), asked: target };
}

Deno.test("what stands on the command line is the target, whatever the variables say", async (t) => {
  const none = { project: undefined, namespace: undefined, host: undefined, containers: undefined };
  const all = { INFRAHUB_PROJECT: "p", INFRAHUB_K8S_NAMESPACE: "n" };
  const rows: [string[], Record<string, string>, Record<string, unknown>][] = [
    [[], {}, {}],
    [["--project", "a"], {}, { project: "a" }],
    [[], { INFRAHUB_PROJECT: "p" }, { project: "p" }],
    [[], all, { project: "p", namespace: "n" }],
    [["--project", "a"], all, { project: "a" }],
    [["--k8s-namespace", "b"], all, { namespace: "b" }],
    [["--host"], all, { host: {} }],
    [["--host", "--host-unit", "cache=redis"], {}, { host: { units: { cache: "redis" } } }],
    [["--container", "cache=redis"], {}, { containers: { cache: "redis" } }],
    [["--service-timeout", "30m"], {}, { controlTimeoutMs: 1_800_000 }],
    [["--project", "a", "--host"], {}, { project: "a", host: {} }],
    [["--project", "a"], { INFRAHUB_HOST: "1" }, { project: "a" }],
  ];
  for (const [argv, variables, want] of rows) {
    await t.step(`${argv.join(" ")} ${JSON.stringify(variables)}`, async () => {
      assertEquals((await detect(argv, variables)).asked, { ...none, ...want });
    });
  }
});

Deno.test("environment detect tells the target in the log, and in JSON on request", async () => {
  const plain = await detect([]);
  assertEquals([plain.code, plain.out], [0, ""]);
  for (
    const text of [
      "Detecting Infrahub deployment environment...",
      "Detected docker environment (fake)",
      'msg="Target: fake"',
    ]
  ) assertStringIncludes(plain.err, text);
  for (const flag of ["--json", "--log-format=json"]) {
    assertEquals(JSON.parse((await detect([flag])).out), {
      type: "result",
      command: "environment detect",
      kind: "docker",
      target: "fake",
    });
  }
});

Deno.test("environment detect fails when there is nothing", async () => {
  const context = recordingContext({}, {
    detectEnvironment: () =>
      Promise.reject(new EnvironmentError("no Infrahub environment detected")),
  });
  assertEquals(await run(["environment", "detect", "--quiet"], context), 1);
  assertEquals(context.err(), "Error: no Infrahub environment detected\n");
});

Deno.test("environment list prints names, and JSON on request", async () => {
  const found = { projects: ["p1", "p2"], namespaces: ["n1"], problems: [] };
  const listEnvironments = () => Promise.resolve(found);
  const plain = recordingContext({}, { listEnvironments });
  assertEquals(await run(["environment", "list"], plain), 0);
  assertEquals(plain.out(), "  p1\n  p2\n  n1\n");
  assertStringIncludes(plain.err(), "Docker Compose projects:");
  assertStringIncludes(plain.err(), "Kubernetes namespaces:");
  const json = recordingContext({}, { listEnvironments });
  assertEquals(await run(["environment", "list", "--json"], json), 0);
  assertEquals(JSON.parse(json.out()), {
    type: "result",
    command: "environment list",
    docker_compose_projects: ["p1", "p2"],
    kubernetes_namespaces: ["n1"],
  });
});

Deno.test("environment list tells what could not be looked at, but not of missing clients", async () => {
  const problem = (exitCode?: number) =>
    new CommandFailedError({
      argv: ["kubectl"],
      problem: exitCode === undefined ? "cannot be started: not found" : "exited with code 1",
      ...(exitCode === undefined ? {} : { exitCode, stderrTail: "boom" }),
    });
  for (const [exitCode, warnings] of [[undefined, 0], [1, 1]] as const) {
    const context = recordingContext({}, {
      listEnvironments: () =>
        Promise.resolve({ projects: [], namespaces: [], problems: [problem(exitCode)] }),
    });
    assertEquals(await run(["environment", "list"], context), 0);
    assertEquals(context.err().split("level=warning").length - 1, warnings);
    assertStringIncludes(context.err(), "No Infrahub deployments detected");
  }
});

Deno.test("flush runs the worker's command and prints what it says", async () => {
  for (const [program, prefix] of [["infrahub-backup", ["tasks"]], ["infrahub-taskmanager", []]]) {
    const deployment = new ScriptedDeployment({
      prepare: (e) => e.on("task-worker", "infrahub tasks flush", "deleted 3"),
    });
    const context = recordingContext({}, {
      program: String(program),
      detectEnvironment: () => Promise.resolve(deployment),
    });
    assertEquals(await run([...prefix ?? [], "flush", "flow-runs", "7", "50"], context), 0);
    assertEquals(context.out(), "deleted 3\n");
    assertEquals(
      deployment.find("tasks flush").command,
      "infrahub tasks flush flow-runs --days-to-keep 7 --batch-size 50",
    );
    assertStringIncludes(context.err(), "Flow runs cleanup completed");

    const json = recordingContext({}, {
      program: String(program),
      detectEnvironment: () => Promise.resolve(deployment),
    });
    const argv = [...prefix ?? [], "flush", "flow-runs", "--log-format", "json"];
    assertEquals(await run(argv, json), 0);
    assertEquals(parseLines(json.out()).map(({ type, ok }) => [type, ok]), [["result", true]]);
    parseLines(json.err());
  }
});
