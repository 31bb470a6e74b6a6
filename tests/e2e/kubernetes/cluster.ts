/**
 * The state of a stand-in for a Kubernetes cluster: workloads as the published chart makes them,
 * whose pods are the containers of a Compose project.
 *
 * @module
 */

/** A pod. */
export interface StandInPod {
  readonly name: string;
  /** The container that it is; undefined for one that is listed and not there. */
  readonly container?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** As listed, for one without a container. */
  readonly phase?: string;
  readonly isReady?: boolean;
  isTerminating?: boolean;
}

/** A deployment or stateful set. */
export interface StandInWorkload {
  readonly kind: "deployment" | "statefulset";
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Labels of its pods, by which they are selected as well. */
  readonly podLabels: Readonly<Record<string, string>>;
  readonly annotations: Record<string, string>;
  /** Ids of the containers that its pods are, in their order. */
  readonly containers: readonly string[];
  replicas: number;
  /** How often it was scaled up: the pods of a deployment never have the same names again. */
  generation: number;
  pods: StandInPod[];
}

/** Everything that the stand-in knows. */
export interface ClusterState {
  readonly namespace: string;
  readonly workloads: readonly StandInWorkload[];
  /** Further pods, listed first. */
  readonly decoys: readonly StandInPod[];
}

/** A folder with the state, shared by the test and every run of the stand-in. */
export class Cluster {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async read(): Promise<ClusterState> {
    return JSON.parse(await Deno.readTextFile(`${this.folder}/state.json`));
  }

  /** Changes the state while nobody else does. */
  async change<T>(body: (state: ClusterState) => Promise<T> | T): Promise<T> {
    using lock = await Deno.open(`${this.folder}/lock`, { create: true, write: true });
    await lock.lock(true);
    const state = await this.read();
    const result = await body(state);
    await this.write(state);
    return result;
  }

  /** Writes the state, and which container each pod is, for `exec`. */
  async write(state: ClusterState): Promise<void> {
    const pods = `${this.folder}/pods/${state.namespace}`;
    await Deno.mkdir(pods, { recursive: true });
    const all = [...state.decoys, ...state.workloads.flatMap((workload) => workload.pods)];
    for await (const { name } of Deno.readDir(pods)) {
      if (!all.some((pod) => pod.name === name)) await Deno.remove(`${pods}/${name}`);
    }
    for (const { name, container } of all) {
      await Deno.writeTextFile(`${pods}/${name}`, `${container ?? "none"}\n`);
    }
    const temporary = `${this.folder}/state.${crypto.randomUUID()}`;
    await Deno.writeTextFile(temporary, JSON.stringify(state, null, 2));
    await Deno.rename(temporary, `${this.folder}/state.json`);
  }

  /** Arguments of every call of the stand-in so far. */
  async calls(): Promise<string[][]> {
    const text = await Deno.readTextFile(`${this.folder}/calls`);
    return text.split("\u0001\0").slice(0, -1).map((call) => call.split("\0").slice(0, -1));
  }

  /** Forgets the calls so far. */
  async forgetCalls(): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/calls`, "");
  }
}

/** The pods that a workload has when it is scaled up. */
export function podsOf(workload: StandInWorkload): StandInPod[] {
  return workload.containers.slice(0, workload.replicas).map((container, index) => ({
    name: workload.kind === "statefulset"
      ? `${workload.name}-${index}`
      : `${workload.name}-7c9f8d6b54-${`${workload.generation}${index}xyz`.slice(0, 5)}`,
    container,
  }));
}
