import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  CommandFailedError,
  EnvironmentError,
  Kubernetes,
} from "../../../../src/environment/mod.ts";
import { bytes, KUBECTL_EXEC, StandIn, textOf } from "../_stand_in.ts";

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const GET_PODS = ["get", "pods", "-n", "ns", "-o", "json"];
const GET_DEPLOYMENTS = ["get", "deployment", "-n", "ns", "-o", "json"];
const GET_STATEFULSETS = ["get", "statefulset", "-n", "ns", "-o", "json"];
const ANNOTATION = "infrahub-backup.opsmill.com/replicas";

/** Lists what the test has put, and does what exec asks for. */
const CLUSTER = `
if [ "$1" = get ]; then cat "$DIR/$2"; exit; fi
${KUBECTL_EXEC}`;

function kubernetes(program: StandIn, controlTimeoutMs = 60_000) {
  const warnings: string[] = [];
  const environment = new Kubernetes({
    namespace: "ns",
    program: program.path,
    controlTimeoutMs,
    onWarning: (message) => warnings.push(message),
  });
  return { environment, warnings };
}

function pod(
  name: string,
  labels: Record<string, string> = {},
  more: Record<string, unknown> = {},
) {
  const { phase = "Running", ready = "True", ...metadata } = more;
  const conditions = [{ type: "Initialized", status: "True" }, { type: "Ready", status: ready }];
  return { metadata: { name, labels, ...metadata }, status: { phase, conditions } };
}

function list(...items: unknown[]): string {
  return JSON.stringify({ kind: "List", items });
}

async function cluster(pods: unknown[], deployments: unknown[] = [], statefulsets: unknown[] = []) {
  const kubectl = await StandIn.create(CLUSTER);
  await kubectl.put("pods", list(...pods));
  await kubectl.put("deployment", list(...deployments));
  await kubectl.put("statefulset", list(...statefulsets));
  return kubectl;
}

Deno.test("Kubernetes waits for one of several pods to be ready, and says when none is", async (t) => {
  const two = (ready: string) =>
    list(
      pod("a", { app: "database" }, { ready: "False" }),
      pod("b", { app: "database" }, { ready }),
    );
  await t.step("one becomes ready", async () => {
    await using kubectl = await cluster([]);
    await kubectl.put("pods", two("False"));
    const environment = new Kubernetes({ namespace: "ns", program: kubectl.path });
    const running = environment.run("database", ["true"]);
    // It has looked, and looks again.
    while ((await kubectl.calls()).length === 0) await new Promise((r) => setTimeout(r, 10));
    await kubectl.put("pods", two("True"));
    await running;
    assertEquals((await kubectl.calls()).at(-1), ["exec", "-n", "ns", "b", "--", "true"]);
  });
  await t.step("none does", async () => {
    await using kubectl = await cluster([]);
    await kubectl.put("pods", two("False"));
    const warnings: string[] = [];
    const environment = new Kubernetes({
      namespace: "ns",
      program: kubectl.path,
      choiceTimeoutMs: 0,
      onWarning: (message) => warnings.push(message),
    });
    await environment.run("database", ["true"]);
    assertEquals((await kubectl.calls()).at(-1), ["exec", "-n", "ns", "a", "--", "true"]);
    assertEquals(warnings, ["No pod of service database is ready; taking a"]);
  });
});

Deno.test("Kubernetes.run calls kubectl as the Go tool does", async () => {
  await using kubectl = await cluster([pod("db-0", { "infrahub/service": "database" })]);
  const { environment } = kubernetes(kubectl);
  assertEquals(await environment.run("database", ["echo", "a b", "$X"]), "a b $X");
  await environment.run("database", ["true"], { env: { B: "2 3", A: "1" } });
  const base = ["exec", "-n", "ns", "db-0", "--"];
  assertEquals(await kubectl.calls(), [
    GET_PODS,
    [...base, "echo", "a b", "$X"],
    [...base, "env", "A=1", "B=2 3", "true"],
  ]);
});

Deno.test("Kubernetes.run names the container of a service that has sidecars", async () => {
  const containers = [{ name: "istio-proxy", image: "proxy" }, { name: "neo4j", image: "neo4j" }];
  const withSidecar = { ...pod("db-0", { app: "database" }), spec: { containers } };
  await using kubectl = await cluster([withSidecar]);
  await kubernetes(kubectl).environment.run("database", ["true"]);
  assertEquals((await kubectl.calls()).at(-1), [
    ...["exec", "-n", "ns", "db-0", "-c", "neo4j", "--", "true"],
  ]);
});

Deno.test("Kubernetes.run takes the container that was named, whatever else tells", async () => {
  const containers = [{ name: "main", image: "x" }, { name: "other", image: "y" }];
  const plain = { ...pod("db-0", { app: "database" }), spec: { containers } };
  const annotations = { "kubectl.kubernetes.io/default-container": "main" };
  for (const one of [plain, { ...plain, metadata: { ...plain.metadata, annotations } }]) {
    await using kubectl = await cluster([one]);
    const environment = new Kubernetes({
      namespace: "ns",
      program: kubectl.path,
      containers: { database: "other" },
      onWarning: (text) => {
        throw new Error(text);
      },
    });
    await environment.run("database", ["true"]);
    assertEquals((await kubectl.calls()).at(-1), [
      ...["exec", "-n", "ns", "db-0", "-c", "other", "--", "true"],
    ]);
  }
});

Deno.test("Kubernetes.run quotes the whole command for another user", async () => {
  await using kubectl = await StandIn.create(`
    [ "$1" = get ] && { cat "$DIR/pods"; exit; }
    while [ "$1" != -- ]; do shift; done
    shift
    # su USER -s SHELL -c COMMAND
    exec sh -c "$6"`);
  await kubectl.put("pods", list(pod("db-0", { app: "database" })));
  const { environment } = kubernetes(kubectl);
  const words = [
    "a b",
    "it's",
    "",
    "\\",
    "tab\t",
    "x=y",
    "%s",
    "new\nline",
    "$HOME",
    "*",
    "~",
    "#",
  ];
  const output = await environment.run(
    "database",
    ["sh", "-c", 'printf "%s|" "$K" "$S" "$@"', "sh", ...words],
    { user: "neo4j", env: { K: "v 'w" }, secrets: { S: " 'tell-nobody" } },
  );
  assertEquals(output, `v 'w| 'tell-nobody|${words.join("|")}|`);
  const call = (await kubectl.calls())[1] ?? [];
  assertEquals(
    call.slice(0, -1),
    ["exec", "-i", "-n", "ns", "db-0", "--", "su", "neo4j", "-s", "/bin/sh", "-c"],
  );
  assert(!call.join(" ").includes("tell-nobody"));
  await environment.run("database", ["neo4j-admin", "database", "load", "neo4j"], { user: "neo4j" })
    .catch(() => {/* there is no such program here; its arguments are what counts */});
  assertEquals(
    (await kubectl.calls()).at(-1)?.slice(5),
    ["su", "neo4j", "-s", "/bin/sh", "-c", "neo4j-admin database load neo4j"],
  );
});

Deno.test("Kubernetes streams both ways, with -i only where something goes in", async () => {
  await using kubectl = await cluster([pod("db-0", { app: "database" })]);
  const { environment } = kubernetes(kubectl);
  const options = { stallTimeoutMs: 0 };
  const { stdout, finished } = await environment.streamOut("database", ["echo", "data"], options);
  assertEquals(await textOf(stdout), "data\n");
  await finished;
  const secret = await environment.streamOut("database", ["printenv", "P"], {
    ...options,
    secrets: { P: "pw" },
  });
  assertEquals(await textOf(secret.stdout), "pw\n");
  await secret.finished;
  const input = await environment.streamIn("database", ["cat"], options);
  await input.write(bytes("in"));
  assertEquals(await input.close(), "in");
  const mark = ["env", "INFRAHUB_BACKUP_RUN=UUID"];
  const calls = (await kubectl.calls()).map((call) => call.map((one) => one.replace(UUID, "UUID")));
  assertEquals(calls[1], ["exec", "-n", "ns", "db-0", "--", ...mark, "echo", "data"]);
  assertEquals(calls[2]?.slice(0, 9), ["exec", "-i", "-n", "ns", "db-0", "--", ...mark, "sh"]);
  assertEquals(calls[2]?.slice(-2), ["printenv", "P"]);
  assertEquals(calls[3], ["exec", "-i", "-n", "ns", "db-0", "--", ...mark, "cat"]);
});

Deno.test("Kubernetes chooses the pod of a service", async (t) => {
  const label = { "infrahub/service": "task-manager-db" };
  const hash = { "pod-template-hash": "6b8f7c9d5" };
  const ofReplicaSet = {
    ownerReferences: [{ kind: "ReplicaSet", name: "r-task-manager-6b8f7c9d5" }],
  };
  const rows: [string, string, unknown[], string | undefined][] = [
    ["by label", "database", [pod("other"), pod("x", { app: "database" })], "x"],
    [
      "by the first label that any pod has",
      "database",
      [
        pod("b", { component: "database" }),
        pod("a", { "app.kubernetes.io/component": "database" }),
      ],
      "a",
    ],
    [
      "one that is ready",
      "database",
      [pod("a", { app: "database" }, { ready: "False" }), pod("b", { app: "database" })],
      "b",
    ],
    [
      "one that runs",
      "database",
      [
        pod("a", { app: "database" }, { phase: "Pending", ready: "False" }),
        pod("b", { app: "database" }),
      ],
      "b",
    ],
    [
      "one that is not about to end",
      "database",
      [
        pod("a", { app: "database" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        pod("b", { app: "database" }),
      ],
      "b",
    ],
    ["one that is not ready rather than none", "database", [
      pod("a", { app: "database" }, { ready: "False" }),
    ], "a"],
    [
      "no job's that has ended",
      "database",
      [pod("x-database-abcde", {}, { phase: "Succeeded" })],
      undefined,
    ],
    [
      "the primary of CloudNativePG",
      "task-manager-db",
      [
        pod("db-1", { ...label, "cnpg.io/instanceRole": "replica" }),
        pod("db-2", { ...label, "cnpg.io/instanceRole": "primary" }),
      ],
      "db-2",
    ],
    ["the primary by role", "task-manager-db", [
      pod("db-1", label),
      pod("db-2", { ...label, role: "primary" }),
    ], "db-2"],
    [
      "a primary before a replica that is ready",
      "task-manager-db",
      [pod("db-1", label), pod("db-2", { ...label, role: "primary" }, { ready: "False" })],
      "db-2",
    ],
    ["the first of equals", "database", [
      pod("n-0", { app: "database" }),
      pod("n-1", { app: "database" }),
    ], "n-0"],
    [
      "the API server by its name",
      "infrahub-server",
      [pod("infrahub-infrahub-server-7d9f8b6c5d-x2x4z", { "infrahub/service": "server" })],
      "infrahub-infrahub-server-7d9f8b6c5d-x2x4z",
    ],
    [
      "task-manager, not its database or its background service",
      "task-manager",
      [
        pod("r-task-manager-background-svc-6b8f7c9d5-aaaaa"),
        pod("r-task-manager-db-0"),
        pod("r-task-manager-6b8f7c9d5-bbbbb"),
      ],
      "r-task-manager-6b8f7c9d5-bbbbb",
    ],
    ["nothing for task-manager", "task-manager", [pod("r-task-manager-db-0")], undefined],
    ["nothing for task-manager, of a deployment", "task-manager", [
      pod("r-task-manager-background-svc-6b8f7c9d5-aaaaa"),
    ], undefined],
    [
      "by the name of its owner",
      "task-manager",
      [pod("r-task-manager-x-1"), pod("r-task-manager-6b8f7c9d5-bbbbb", hash, ofReplicaSet)],
      "r-task-manager-6b8f7c9d5-bbbbb",
    ],
    ["by whole segments", "database", [pod("r-mydatabase-0"), pod("r-database2-0")], undefined],
    [
      "with something after the name",
      "cache",
      [pod("infrahub-cache-master-0")],
      "infrahub-cache-master-0",
    ],
    ["nothing", "cache", [], undefined],
  ];
  for (const [name, service, pods, chosen] of rows) {
    await t.step(name, async () => {
      await using kubectl = await cluster(pods);
      const { environment } = kubernetes(kubectl);
      const running = environment.run(service, ["true"]);
      if (chosen !== undefined) {
        await running;
        assertEquals((await kubectl.calls()).at(-1), ["exec", "-n", "ns", chosen, "--", "true"]);
      } else {
        await assertRejects(
          () => running,
          CommandFailedError,
          `no pods found for service ${service} in namespace ns`,
        );
      }
    });
  }
});

Deno.test("Kubernetes.run tells why no pod can take a command", async () => {
  await using kubectl = await cluster([
    pod("db-0", { app: "database" }, { phase: "Pending" }),
    pod("db-1", { app: "database" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  ]);
  await assertRejects(
    () => kubernetes(kubectl).environment.run("database", ["true"]),
    CommandFailedError,
    "no running pod for service database in namespace ns: db-0 is pending, db-1 is terminating",
  );
});

Deno.test("Kubernetes stays with its pod while that is frozen, and leaves it when it is gone", async () => {
  await using kubectl = await StandIn.create(`
    [ "$1" = get ] && { cat "$DIR/pods"; exit; }
    [ "$4" = db-0 ] && [ -e "$DIR/gone" ] || { echo "on $4"; exit; }
    echo 'Error from server (NotFound): pods "db-0" not found' >&2; exit 1`);
  await kubectl.put("pods", list(pod("db-0", { app: "database" })));
  const { environment } = kubernetes(kubectl);
  assertEquals(await environment.run("database", ["true"]), "on db-0");
  await kubectl.put(
    "pods",
    list(pod("db-0", { app: "database" }, { ready: "False" }), pod("db-1", { app: "database" })),
  );
  assertEquals(await environment.run("database", ["true"]), "on db-0");
  await kubectl.put("gone", "");
  await assertRejects(() => environment.run("database", ["true"]), CommandFailedError, "not found");
  assertEquals(await environment.run("database", ["true"]), "on db-1");
});

function workload(name: string, replicas: number, more: Record<string, unknown> = {}) {
  const { labels = { app: name }, annotations = {}, metadata = {} } = more;
  return {
    metadata: { name, annotations, ...Object(metadata) },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels } } },
  };
}

/**
 * One deployment \`r-cache\` that does as it is told: \`replicas\` and \`annotation\` are files. Pods
 * follow one look later.
 */
const LIVING = `
replicas=$(cat "$DIR/replicas"); pods=$(cat "$DIR/running")
annotation=$(cat "$DIR/annotation" 2>/dev/null)
labels='{"infrahub/service":"cache"}'
case "$1 $2" in
  "get deployment")
    [ -n "$annotation" ] && annotations="{\\"infrahub-backup.opsmill.com/replicas\\":\\"$annotation\\"}"
    echo '{"items":[{"metadata":{"name":"r-cache","annotations":'"\${annotations:-{\\}}"'},
      "spec":{"replicas":'"$replicas"',"selector":{"matchLabels":'"$labels"'},
      "template":{"metadata":{"labels":'"$labels"'}}}}]}' ;;
  "get statefulset") echo '{"items":[]}' ;;
  "get pods")
    n=0; comma=''
    printf '{"items":['
    while [ $n -lt $pods ]; do
      printf '%s{"metadata":{"name":"r-cache-%s","labels":%s},' "$comma" $n "$labels"
      printf '"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}'
      n=$((n + 1)); comma=,
    done
    echo ']}'
    echo $replicas >"$DIR/running" ;;
  "scale -n") echo "\${5#--replicas=}" >"$DIR/replicas" ;;
  "annotate -n")
    [ -e "$DIR/forbidden" ] && {
      echo 'Error from server (Forbidden): deployments.apps "r-cache" is forbidden' >&2; exit 1
    }
    case "$5" in *-) rm "$DIR/annotation" ;; *) echo "\${5#*=}" >"$DIR/annotation" ;; esac ;;
esac`;

async function living(replicas: number): Promise<StandIn> {
  const kubectl = await StandIn.create(LIVING);
  await kubectl.put("replicas", `${replicas}\n`);
  await kubectl.put("running", `${replicas}\n`);
  return kubectl;
}

Deno.test("Kubernetes stops a service, remembers its replicas where they outlive the process", async () => {
  await using kubectl = await living(3);
  await kubernetes(kubectl).environment.stop(["cache"]);
  assertEquals(await kubectl.calls(), [
    GET_DEPLOYMENTS,
    GET_STATEFULSETS,
    ["annotate", "-n", "ns", "deployment/r-cache", `${ANNOTATION}=3`, "--overwrite"],
    ["scale", "-n", "ns", "deployment/r-cache", "--replicas=0"],
    GET_PODS, // there are three yet
    GET_PODS,
  ]);
  await kubectl.forget();
  // Another process, which stops once more before it starts.
  const { environment, warnings } = kubernetes(kubectl);
  assertEquals(await environment.status("cache"), "stopped");
  await environment.stop(["cache"]);
  assertEquals(await kubectl.get("annotation"), "3\n");
  await kubectl.forget();
  await environment.start(["cache"]);
  assertEquals(await kubectl.calls(), [
    GET_DEPLOYMENTS,
    GET_STATEFULSETS,
    ["scale", "-n", "ns", "deployment/r-cache", "--replicas=3"],
    ["annotate", "-n", "ns", "deployment/r-cache", `${ANNOTATION}-`, "--overwrite"],
    GET_PODS, // there are none yet
    GET_PODS,
  ]);
  assertEquals(await kubectl.get("annotation"), "");
  assertEquals(await environment.status("cache"), "running");
  assertEquals(warnings, []);
});

Deno.test("Kubernetes starts a service without memory with one replica", async () => {
  await using kubectl = await living(0);
  await kubernetes(kubectl).environment.start(["cache"]);
  assertEquals(await kubectl.get("replicas"), "1\n");
});

Deno.test("Kubernetes leaves the replicas of a service that runs alone", async () => {
  await using kubectl = await living(2);
  // An interrupted start has not come to removing it.
  await kubectl.put("annotation", "5\n");
  await kubernetes(kubectl).environment.start(["cache"]);
  assertEquals(await kubectl.get("replicas"), "2\n");
  assertEquals(await kubectl.get("annotation"), "");
});

Deno.test("Kubernetes warns and remembers by itself when it may not annotate", async () => {
  await using kubectl = await living(2);
  await kubectl.put("forbidden", "");
  const { environment, warnings } = kubernetes(kubectl);
  await environment.stop(["cache"]);
  assertEquals(warnings.length, 1);
  assertStringIncludes(warnings[0] ?? "", "deployment/r-cache");
  await environment.start(["cache"]);
  assertEquals(await kubectl.get("replicas"), "2\n");
  assertEquals(warnings.length, 1);
});

Deno.test("Kubernetes.stop and start fail when pods do not follow in time", async () => {
  await using kubectl = await cluster(
    [pod("r-cache-0", { app: "cache" }, { ready: "False" })],
    [workload("cache", 2)],
  );
  const { environment } = kubernetes(kubectl, 100);
  await assertRejects(
    () => environment.stop(["cache"]),
    EnvironmentError,
    "deployment/cache still has pods (r-cache-0) after 100ms",
  );
  await assertRejects(
    () => environment.start(["cache"]),
    EnvironmentError,
    "deployment/cache has 0 of 2 pods ready after 100ms",
  );
});

Deno.test("Kubernetes finds workloads of both kinds", async (t) => {
  const byLabel = { labels: { "infrahub/service": "database" } };
  const rows: [string, string, unknown[], unknown[], string[]][] = [
    ["a deployment", "cache", [workload("r-cache", 1)], [], ["deployment/r-cache"]],
    ["a stateful set", "cache", [], [workload("r-cache-master", 1)], [
      "statefulset/r-cache-master",
    ]],
    [
      "a label of one kind before a name of the other",
      "database",
      [workload("r-database-exporter", 1)],
      [workload("r-neo4j", 1, byLabel)],
      ["statefulset/r-neo4j"],
    ],
    [
      "a label of its own",
      "cache",
      [workload("x", 1, { labels: {}, metadata: { labels: { app: "cache" } } })],
      [],
      ["deployment/x"],
    ],
    [
      "every one of a service",
      "task-worker",
      [
        workload("a", 1, { labels: { app: "task-worker" } }),
        workload("b", 1, { labels: { app: "task-worker" } }),
      ],
      [],
      ["deployment/a", "deployment/b"],
    ],
    [
      "by name, not those of longer names",
      "task-manager",
      [workload("r-task-manager", 1), workload("r-task-manager-background-svc", 1)],
      [workload("r-task-manager-db", 1)],
      ["deployment/r-task-manager"],
    ],
  ];
  for (const [name, service, deployments, statefulsets, scaled] of rows) {
    await t.step(name, async () => {
      await using kubectl = await cluster([], deployments, statefulsets);
      await kubernetes(kubectl).environment.stop([service]);
      const calls = (await kubectl.calls()).filter(([verb]) => verb === "scale");
      assertEquals(calls, scaled.map((one) => ["scale", "-n", "ns", one, "--replicas=0"]));
    });
  }
  await t.step("none", async () => {
    await using kubectl = await cluster([], [], [workload("r-task-manager-db", 1)]);
    await assertRejects(
      () => kubernetes(kubectl).environment.stop(["task-manager"]),
      EnvironmentError,
      "failed to resolve workload for task-manager: no workloads found",
    );
  });
});

Deno.test("Kubernetes.stop tells a failed scaling in the Go tool's words, with the reason", async () => {
  await using kubectl = await StandIn.create(`
    [ "$1" = get ] && { cat "$DIR/$2"; exit; }
    [ "$1" = scale ] && { echo 'deployments.apps is forbidden' >&2; exit 1; }
    true`);
  await kubectl.put("deployment", list(workload("r-cache", 2)));
  await kubectl.put("statefulset", list());
  const error = await assertRejects(
    () => kubernetes(kubectl).environment.stop(["cache"]),
    EnvironmentError,
    "failed to scale cache (deployment/r-cache) to 0 replicas: ",
  );
  assertStringIncludes(error.message, "stderr: deployments.apps is forbidden");
});

Deno.test("Kubernetes.status tells running, stopped and absent", async (t) => {
  const labels = { app: "cache" };
  const rows: [string, unknown[], unknown[], string][] = [
    ["a pod that runs", [pod("a", labels)], [], "running"],
    [
      "a pod that is wanted",
      [pod("a", labels, { phase: "Pending" })],
      [workload("cache", 1)],
      "running",
    ],
    ["a workload scaled down", [], [workload("cache", 0)], "stopped"],
    ["nothing", [pod("a", { app: "other" })], [workload("other", 1)], "absent"],
  ];
  for (const [name, pods, deployments, status] of rows) {
    await t.step(name, async () => {
      await using kubectl = await cluster(pods, deployments);
      assertEquals(await kubernetes(kubectl).environment.status("cache"), status);
    });
  }
  await t.step("a failing call", async () => {
    await using kubectl = await StandIn.create("echo 'connection refused' >&2; exit 1");
    await assertRejects(
      () => kubernetes(kubectl).environment.status("cache"),
      CommandFailedError,
      "connection refused",
    );
  });
});
