/**
 * A stand-in for `kubectl` and the cluster behind it. Databases and services are the containers of
 * the Compose deployment: what runs in them is as real as there.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Database } from "../bed.ts";
import { ComposeBed } from "../compose_bed.ts";
import { type Deployment, text, waitUntil } from "../deployment.ts";
import { Cluster, type ClusterState, podsOf, type StandInWorkload } from "./cluster.ts";

const FOLDER = new URL(".", import.meta.url).pathname.replace(/\/$/, "");
const RELEASE = "infrahub";
const ENDED_TIMEOUT_MS = 20_000;

/** Workloads of the chart, by service. The API server's label is not the name of its service. */
const WORKLOADS: Readonly<
  Record<string, { kind: StandInWorkload["kind"]; labels: Record<string, string> }>
> = {
  "database": { kind: "statefulset", labels: { "infrahub/service": "database" } },
  "task-manager-db": {
    kind: "statefulset",
    labels: { "infrahub/service": "task-manager-db" },
  },
  "cache": { kind: "statefulset", labels: { "infrahub/service": "cache" } },
  "message-queue": { kind: "statefulset", labels: { "infrahub/service": "message-queue" } },
  "task-manager": { kind: "deployment", labels: { "infrahub/service": "task-manager" } },
  "task-manager-background-svc": {
    kind: "deployment",
    labels: { "infrahub/service": "task-manager-background-svc" },
  },
  "infrahub-server": {
    kind: "deployment",
    labels: { "infrahub/service": "server", "service": "infrahub-server" },
  },
  "task-worker": { kind: "deployment", labels: { "infrahub/service": "task-worker" } },
};

const COMMON_LABELS = { "app.kubernetes.io/name": "infrahub" };

/** Pods that must not be chosen, though they are listed first and belong to the service. */
const DECOYS: ClusterState["decoys"] = [
  {
    name: `${RELEASE}-database-1`,
    labels: { ...COMMON_LABELS, "infrahub/service": "database" },
    phase: "Running",
    isReady: false,
  },
  {
    name: `${RELEASE}-database-2`,
    labels: { ...COMMON_LABELS, "infrahub/service": "database" },
    phase: "Pending",
  },
  {
    name: `${RELEASE}-task-manager-db-1`,
    labels: { ...COMMON_LABELS, "infrahub/service": "task-manager-db" },
    phase: "Running",
    isReady: true,
    isTerminating: true,
  },
  {
    name: `${RELEASE}-infrahub-server-migration-x7k2p`,
    labels: COMMON_LABELS,
    phase: "Succeeded",
  },
];

/** A stand-in for Kubernetes. */
export class KubernetesBed extends ComposeBed {
  override readonly name = "stand-in for Kubernetes, real Neo4j Community";
  override readonly clients = ["kubectl"];
  /** What the stand-in knows, and how it was called. */
  readonly cluster: Cluster;
  /** Nobody else's, so that its clients can be told from others. */
  readonly namespace: string;

  private constructor(deployment: Deployment, cluster: Cluster) {
    super(deployment);
    this.cluster = cluster;
    this.namespace = deployment.project;
  }

  /** Starts a deployment of its own. */
  static startKubernetes(): Promise<KubernetesBed> {
    return ComposeBed.launch(async (deployment) => {
      const cluster = new Cluster(await Deno.makeTempDir({ prefix: "infrahub-backup-cluster-" }));
      await cluster.write({
        namespace: deployment.project,
        workloads: await workloadsOf(deployment),
        decoys: DECOYS,
      });
      await cluster.forgetCalls();
      return new KubernetesBed(deployment, cluster);
    }, [`${FOLDER}/compose.yaml`]);
  }

  /** Names of the pods that must not be chosen. */
  get decoys(): string[] {
    return DECOYS.map(({ name }) => name);
  }

  override get toolArguments(): readonly string[] {
    return ["--k8s-namespace", this.namespace];
  }

  override get toolEnvironment(): Readonly<Record<string, string>> {
    return {
      ...this.deployment.environment,
      PATH: `${FOLDER}:${Deno.env.get("PATH") ?? ""}`,
      STAND_IN_CLUSTER: this.cluster.folder,
      STAND_IN_DENO: Deno.execPath(),
    };
  }

  /** Replicas and annotations of every workload: `NAME: REPLICAS ANNOTATIONS`. */
  async replicas(): Promise<string[]> {
    const { workloads } = await this.cluster.read();
    return workloads.map(({ name, replicas, annotations }) =>
      `${name}: ${replicas} ${JSON.stringify(annotations)}`
    );
  }

  override async assertBackToNormal(lost: readonly Database[] = []): Promise<void> {
    assertEquals(
      await this.replicas(),
      Object.keys(WORKLOADS).map((service) =>
        `${RELEASE}-${service}: ${service === "task-worker" ? 2 : 1} {}`
      ),
    );
    let left: string[] = [];
    await waitUntil(
      () => `The end of ${left.join(" and ")}`,
      async () => (left = await this.#clients()).length === 0,
      ENDED_TIMEOUT_MS,
    );
    await super.assertBackToNormal(lost);
  }

  async #clients(): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      // A process may end while we look.
      const argv = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
      if (argv.includes(`${FOLDER}/kubectl`) && argv.includes(this.namespace)) found.push(argv);
    }
    return found;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await Deno.remove(this.cluster.folder, { recursive: true });
  }
}

async function workloadsOf(deployment: Deployment): Promise<StandInWorkload[]> {
  const workloads: StandInWorkload[] = [];
  for (const [service, { kind, labels }] of Object.entries(WORKLOADS)) {
    const listed = text(await deployment.compose(["ps", "-a", "-q", service]));
    const containers = listed.trim().split("\n");
    const workload: StandInWorkload = {
      kind,
      name: `${RELEASE}-${service}`,
      labels: COMMON_LABELS,
      podLabels: { ...COMMON_LABELS, ...labels },
      annotations: {},
      containers,
      replicas: containers.length,
      generation: 0,
      pods: [],
    };
    workload.pods = podsOf(workload);
    workloads.push(workload);
  }
  return workloads;
}
