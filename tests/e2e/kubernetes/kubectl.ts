/**
 * What the stand-in for `kubectl` does besides `exec`: it lists, scales and annotates. Scaling
 * returns at once, as the real one does; pods end and become ready when their containers do.
 *
 * @module
 */

import { Cluster, type ClusterState, podsOf, type StandInPod } from "./cluster.ts";

const POLL_MS = 50;

interface ContainerState {
  readonly isRunning: boolean;
  readonly isReady: boolean;
}

function fail(message: string): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
  Deno.exit(1);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

async function docker(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("docker", { args: [...args] })
    .output();
  if (!success) fail(`stand-in: docker ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function inspect(containers: readonly string[]): Promise<Map<string, ContainerState>> {
  if (containers.length === 0) return new Map();
  const lines = (await docker("inspect", "--format", "{{json .State}}", ...containers)).trim();
  return new Map(
    lines.split("\n").map((line, index) => {
      const { Running, Restarting, Health } = JSON.parse(line);
      const isRunning = Running && !Restarting;
      const isReady = isRunning && (Health === undefined || Health.Status === "healthy");
      return [containers[index] ?? "", { isRunning, isReady }];
    }),
  );
}

function describePod(
  pod: StandInPod,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  { phase, isReady }: { phase: string; isReady: boolean },
): unknown {
  return {
    metadata: {
      name: pod.name,
      namespace,
      labels,
      ...(pod.isTerminating ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    status: {
      phase,
      conditions: [
        { type: "Initialized", status: "True" },
        { type: "Ready", status: isReady ? "True" : "False" },
      ],
    },
  };
}

async function listPods(state: ClusterState): Promise<unknown[]> {
  const ids = state.workloads.flatMap(({ pods }) => pods.map(({ container }) => container ?? ""));
  const states = await inspect(ids);
  const listed = state.decoys.map((pod) =>
    describePod(pod, state.namespace, pod.labels ?? {}, {
      phase: pod.phase ?? "Running",
      isReady: pod.isReady ?? false,
    })
  );
  for (const workload of state.workloads) {
    for (const pod of workload.pods) {
      const { isRunning, isReady } = states.get(pod.container ?? "") ??
        { isRunning: false, isReady: false };
      // A pod whose container has ended lives on, unless it was to end: the kubelet starts it again.
      if (pod.isTerminating && !isRunning) continue;
      listed.push(
        describePod(pod, state.namespace, workload.podLabels, { phase: "Running", isReady }),
      );
    }
  }
  return listed;
}

function listWorkloads(state: ClusterState, kind: string): unknown[] {
  return state.workloads.filter((workload) => workload.kind === kind).map((workload) => ({
    metadata: {
      name: workload.name,
      namespace: state.namespace,
      labels: workload.labels,
      annotations: workload.annotations,
    },
    spec: {
      replicas: workload.replicas,
      selector: { matchLabels: workload.podLabels },
      template: { metadata: { labels: workload.podLabels } },
    },
  }));
}

function find(state: ClusterState, resource: string) {
  const found = state.workloads.find(({ kind, name }) => `${kind}/${name}` === resource);
  return found ?? fail(`Error from server (NotFound): ${resource} not found`);
}

async function scale(cluster: Cluster, resource: string, replicas: number): Promise<void> {
  await cluster.change(async (state) => {
    const workload = find(state, resource);
    const before = workload.replicas;
    workload.replicas = replicas;
    if (replicas > workload.containers.length) fail(`stand-in: ${resource} has no more containers`);
    if (replicas < before) {
      const ending = workload.pods.slice(replicas);
      for (const pod of ending) pod.isTerminating = true;
      const ids = ending.map(({ container }) => container ?? "");
      new Deno.Command("setsid", {
        args: ["docker", "stop", ...ids],
        stdin: "null",
        stdout: "null",
        stderr: "null",
        detached: true,
      }).spawn().unref();
      return;
    }
    if (replicas === before) return;
    const starting = workload.containers.slice(before, replicas);
    while ([...(await inspect(starting)).values()].some(({ isRunning }) => isRunning)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    workload.generation++;
    workload.pods = podsOf(workload);
    await docker("start", ...starting);
  });
}

async function main(args: readonly string[]): Promise<void> {
  const folder = Deno.env.get("STAND_IN_CLUSTER") ?? fail("stand-in: STAND_IN_CLUSTER is not set");
  const cluster = new Cluster(folder);
  const call = args.map((arg) => `${arg}\0`).join("");
  await Deno.writeTextFile(`${folder}/calls`, `${call}\u0001\0`, { append: true });
  const state = await cluster.read();
  const [verb, ...rest] = args;
  const line = args.join(" ");
  if (line === "version --client") return print("Client Version: v1.30.0\n");
  if (line === "get pods -A -l app.kubernetes.io/name=infrahub -o " + rest.at(-1)) {
    return print(`${state.namespace}\n`.repeat((await listPods(state)).length));
  }
  const [what = "", flag, namespace, ...more] = verb === "get" ? rest : ["", ...rest];
  if (flag !== "-n") fail(`stand-in: unknown arguments: ${line}`);
  if (namespace !== state.namespace) {
    if (verb !== "get") fail(`Error from server (NotFound): namespaces "${namespace}" not found`);
    return more.includes("json")
      ? print('{"kind":"List","items":[]}')
      : fail(`No resources found in ${namespace} namespace.`);
  }
  switch (`${verb} ${more.join(" ")}`) {
    case "get -l app.kubernetes.io/name=infrahub":
      return print("NAME  READY  STATUS\n" + "pod  1/1  Running\n");
    case "get -o json": {
      const items = what === "pods" ? await listPods(state) : listWorkloads(state, what);
      return print(JSON.stringify({ kind: "List", items }));
    }
  }
  const [resource = "", change = "", last] = more;
  const replicas = /^--replicas=(\d+)$/.exec(change)?.[1];
  if (verb === "scale" && replicas !== undefined && last === undefined) {
    return await scale(cluster, resource, Number(replicas));
  }
  const annotation = /^([^=]+?)(?:=(.*)|-)$/.exec(change);
  if (verb === "annotate" && annotation !== null && last === "--overwrite") {
    const [, key = "", value] = annotation;
    return await cluster.change((current) => {
      const { annotations } = find(current, resource);
      if (value === undefined) delete annotations[key];
      else annotations[key] = value;
    });
  }
  fail(`stand-in: unknown arguments: ${line}`);
}

await main(Deno.args);
