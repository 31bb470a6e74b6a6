import { assertEquals, assertRejects } from "@std/assert";
import {
  detectEnvironment,
  type DetectOptions,
  EnvironmentError,
  listEnvironments,
} from "../../../src/environment/mod.ts";
import { StandIn } from "./_stand_in.ts";

/** `ls` lists the names in the file `projects`; the containers of each are a file of its name. */
const DOCKER = `
case "$*" in
  --version) echo 'Docker version 28' ;;
  'compose ls')
    [ -e "$DIR/broken" ] && { echo 'cannot connect to the daemon' >&2; exit 1; }
    echo 'NAME                STATUS              CONFIG FILES'
    while read -r name; do echo "$name   running(3)   /srv/$name/docker-compose.yml"; done <"$DIR/projects" ;;
  *' ps -a --format json')
    [ "$3" = unreadable ] && exit 1
    cat "$DIR/project-$3" 2>/dev/null || true ;;
  *) exit 64 ;;
esac`;

const KUBECTL = `
case "$*" in
  'version --client') echo v1 ;;
  'get pods -A '*)
    [ -e "$DIR/error" ] && { cat "$DIR/error" >&2; exit 1; }
    cat "$DIR/namespaces" ;;
  'get pods -n broken '*) echo 'connection refused' >&2; exit 1 ;;
  'get pods -n '*' -l app.kubernetes.io/name=infrahub')
    cat "$DIR/pods-$4" 2>/dev/null || echo 'No resources found' >&2 ;;
  'get deployment -n '*) cat "$DIR/deployments-$4" 2>/dev/null || echo '{"items":[]}' ;;
  'get statefulset -n '*) echo '{"items":[]}' ;;
  *) exit 64 ;;
esac`;

const RANGE = '{range .items[*]}{.metadata.namespace}{"\\n"}{end}';

interface World {
  /** Services of each running project; undefined: there is no docker. */
  readonly projects?: Readonly<Record<string, string>>;
  readonly dockerIsBroken?: boolean;
  /** Namespaces of pods; undefined: there is no kubectl. */
  readonly namespaces?: readonly string[];
  readonly kubectlError?: string;
}

const INFRAHUB = `{"Name":"lab-infrahub-server-1","Service":"infrahub-server","State":"running"}`;
const OTHER = `{"Name":"shop-web-1","Service":"web","Image":"nginx","State":"running"}`;
const STOPPED = `{"Name":"x-task-manager-1","Service":"task-manager","State":"exited"}`;
const GENERIC = `{"Name":"x-database-1","Service":"database","Image":"postgres","State":"running"}`;

async function build(world: World) {
  const stack = new AsyncDisposableStack();
  const docker = stack.use(await StandIn.create(DOCKER));
  const kubectl = stack.use(await StandIn.create(KUBECTL));
  await docker.put("projects", Object.keys(world.projects ?? {}).map((one) => `${one}\n`).join(""));
  for (const [name, containers] of Object.entries(world.projects ?? {})) {
    await docker.put(`project-${name}`, containers);
  }
  await docker.put("project-asleep", STOPPED);
  if (world.dockerIsBroken) await docker.put("broken", "");
  await kubectl.put("namespaces", (world.namespaces ?? []).join("\n"));
  await kubectl.put("pods-prod", "NAME  READY\nx  1/1\n");
  await kubectl.put(
    "deployments-scaled-down",
    '{"items":[{"metadata":{"name":"r-infrahub-server"},"spec":{"replicas":0}}]}',
  );
  await kubectl.put(
    "deployments-shop",
    '{"items":[{"metadata":{"name":"shop-database"},"spec":{"replicas":1}}]}',
  );
  if (world.kubectlError !== undefined) await kubectl.put("error", world.kubectlError);
  const programs = {
    docker: world.projects ? docker.path : "/nowhere/docker",
    kubectl: world.namespaces ? kubectl.path : "/nowhere/kubectl",
  };
  return { programs, docker, kubectl, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("detectEnvironment finds the one deployment, or says why not", async (t) => {
  const multiple = "docker: multiple docker compose projects found: a, b (specify --project)";
  const refused = "insufficient permissions to list pods across namespaces; " +
    "try specifying --k8s-namespace explicitly: ";
  const rows: [string, World, Omit<DetectOptions, "docker">, [string, string] | string][] = [
    ["nothing at all", {}, {}, "no Infrahub environment detected"],
    [
      "clients, and nothing in them",
      { projects: {}, namespaces: [] },
      {},
      "no Infrahub environment detected",
    ],
    ["one project", { projects: { lab: INFRAHUB } }, {}, ["docker", "lab"]],
    ["one of two projects", { projects: { shop: OTHER, lab: INFRAHUB } }, {}, ["docker", "lab"]],
    ["a project that cannot be read", { projects: { unreadable: "", lab: INFRAHUB } }, {}, [
      "docker",
      "lab",
    ]],
    ["docker before kubernetes", { projects: { lab: INFRAHUB }, namespaces: ["prod"] }, {}, [
      "docker",
      "lab",
    ]],
    ["a namespace", { projects: { shop: OTHER }, namespaces: ["prod", "prod"] }, {}, [
      "kubernetes",
      "prod",
    ]],
    ["a namespace, without docker", { namespaces: ["prod"] }, {}, ["kubernetes", "prod"]],
    [
      "two projects",
      { projects: { b: INFRAHUB, a: INFRAHUB } },
      {},
      `environment detection errors: ${multiple}`,
    ],
    [
      "two projects and a namespace",
      { projects: { b: INFRAHUB, a: INFRAHUB }, namespaces: ["prod"] },
      {},
      `environment detection errors: ${multiple}; kubernetes: prod found as well ` +
      "(specify --k8s-namespace)",
    ],
    [
      "two of both",
      { projects: { b: INFRAHUB, a: INFRAHUB }, namespaces: ["q", "p"] },
      {},
      `environment detection errors: ${multiple}; kubernetes: multiple kubernetes namespaces found: ` +
      "p, q (set INFRAHUB_K8S_NAMESPACE)",
    ],
    [
      "a broken docker, and a namespace",
      { projects: {}, dockerIsBroken: true, namespaces: ["prod"] },
      {},
      ["kubernetes", "prod"],
    ],
    [
      "a broken docker",
      { projects: {}, dockerIsBroken: true },
      {},
      "environment detection errors: docker: failed to list docker compose projects: ",
    ],
    [
      "a cluster that refuses",
      { namespaces: [], kubectlError: "pods is forbidden: User" },
      {},
      `kubernetes: ${refused}`,
    ],
    [
      "no cluster",
      { namespaces: [], kubectlError: "connection refused" },
      {},
      "no Infrahub environment detected",
    ],
    ["a named project", { projects: { a: INFRAHUB, b: INFRAHUB } }, { project: "b" }, [
      "docker",
      "b",
    ]],
    ["a named project that is stopped", { projects: {} }, { project: "asleep" }, [
      "docker",
      "asleep",
    ]],
    [
      "a mistyped project, although a namespace is there",
      { projects: { lab: INFRAHUB }, namespaces: ["prod"] },
      { project: "lba" },
      "environment detection errors: docker: docker compose project lba not found: it has no containers",
    ],
    [
      "another application",
      { projects: { shop: OTHER } },
      { project: "shop" },
      "docker compose project shop has no Infrahub service",
    ],
    [
      "another one's database",
      { projects: { x: GENERIC } },
      { project: "x" },
      "docker compose project x has no Infrahub service",
    ],
    [
      "a named project without docker",
      { namespaces: ["prod"] },
      { project: "lab" },
      "docker: docker CLI not available (required for --project): ",
    ],
    ["a named namespace", { projects: { lab: INFRAHUB }, namespaces: [] }, { namespace: "prod" }, [
      "kubernetes",
      "prod",
    ]],
    ["a named namespace that is scaled down", { namespaces: [] }, { namespace: "scaled-down" }, [
      "kubernetes",
      "scaled-down",
    ]],
    [
      "a mistyped namespace, although a project is there",
      { projects: { lab: INFRAHUB }, namespaces: ["prod"] },
      { namespace: "prdo" },
      "environment detection errors: kubernetes: namespace prdo has no Infrahub service",
    ],
    [
      "another application's namespace",
      { namespaces: [] },
      { namespace: "shop" },
      "namespace shop has no Infrahub service",
    ],
    [
      "a namespace out of reach",
      { namespaces: [] },
      { namespace: "broken" },
      "kubernetes: failed to verify namespace broken: ",
    ],
    [
      "a named namespace without kubectl",
      { projects: { lab: INFRAHUB } },
      { namespace: "prod" },
      "kubernetes: kubectl CLI not available (required for --k8s-namespace): ",
    ],
    ["both named", { projects: { lab: INFRAHUB }, namespaces: [] }, {
      project: "lab",
      namespace: "prod",
    }, ["kubernetes", "prod"]],
    [
      "both named, and the stronger one wrong",
      { projects: { lab: INFRAHUB }, namespaces: [] },
      { project: "lab", namespace: "prdo" },
      "namespace prdo has no Infrahub service",
    ],
    ["empty names", { projects: { lab: INFRAHUB } }, { project: "", namespace: "" }, [
      "docker",
      "lab",
    ]],
    ["the host", { projects: { lab: INFRAHUB } }, { host: {} }, ["host", Deno.hostname()]],
    ["the host and a project", {}, { host: {}, project: "lab" }, "a host cannot be combined"],
  ];
  for (const [name, world, options, expected] of rows) {
    await t.step(name, async () => {
      await using built = await build(world);
      const detecting = detectEnvironment({ ...options, ...built.programs });
      if (typeof expected === "string") {
        await assertRejects(() => detecting, EnvironmentError, expected);
      } else {
        const { kind, target } = await detecting;
        assertEquals([kind, target], expected);
      }
    });
  }
});

Deno.test("detectEnvironment looks only where it was told to", async () => {
  await using world = await build({ projects: { lab: INFRAHUB }, namespaces: ["prod"] });
  await detectEnvironment({ project: "lab", ...world.programs });
  assertEquals(await world.kubectl.calls(), []);
  assertEquals(await world.docker.calls(), [
    ["--version"],
    ["compose", "-p", "lab", "ps", "-a", "--format", "json"],
  ]);
  await world.docker.forget();
  await detectEnvironment({ namespace: "prod", ...world.programs });
  assertEquals(await world.docker.calls(), []);
  assertEquals(await world.kubectl.calls(), [
    ["version", "--client"],
    ["get", "pods", "-n", "prod", "-l", "app.kubernetes.io/name=infrahub"],
  ]);
});

Deno.test("detectEnvironment calls the clients as the Go tool does", async () => {
  await using world = await build({ projects: { shop: OTHER }, namespaces: ["prod"] });
  await detectEnvironment(world.programs);
  assertEquals(await world.docker.calls(), [
    ["--version"],
    ["compose", "ls"],
    ["compose", "-p", "shop", "ps", "-a", "--format", "json"],
  ]);
  assertEquals(await world.kubectl.calls(), [
    ["version", "--client"],
    ["get", "pods", "-A", "-l", "app.kubernetes.io/name=infrahub", "-o", `jsonpath=${RANGE}`],
  ]);
});

Deno.test("detectEnvironment gives way to an interruption", async () => {
  await using world = await build({ projects: { lab: INFRAHUB } });
  const signal = AbortSignal.abort(new Error("interrupted"));
  await assertRejects(() => detectEnvironment({ signal, ...world.programs }), Error, "interrupted");
  await assertRejects(() => listEnvironments({ signal, ...world.programs }), Error, "interrupted");
});

Deno.test("listEnvironments lists all there is, and why there may be more", async () => {
  await using world = await build({
    projects: { b: INFRAHUB, shop: OTHER, a: INFRAHUB },
    namespaces: ["q", "p", "q"],
  });
  assertEquals(await listEnvironments(world.programs), {
    projects: ["a", "b"],
    namespaces: ["p", "q"],
    problems: [],
  });
  await using broken = await build({
    dockerIsBroken: true,
    projects: {},
    namespaces: [],
    kubectlError: "no",
  });
  const { projects, namespaces, problems } = await listEnvironments(broken.programs);
  assertEquals([projects, namespaces, problems.length], [[], [], 2]);
});
