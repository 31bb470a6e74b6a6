import type { ServiceName } from "../environment.ts";
import { items, members, number, text } from "../untyped.ts";

/** A container of a pod. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports: readonly number[];
}

/** How the container of a service is told from its sidecars. */
interface Marks {
  /** Names that it has besides the service's, and last parts of its image's name. */
  readonly names: readonly string[];
  /** Where it listens, when it names its ports. */
  readonly ports: readonly number[];
}

const MARKS: Readonly<Record<ServiceName, Marks>> = {
  "database": { names: ["neo4j", "neo4j-enterprise"], ports: [7687] },
  "task-manager-db": {
    names: ["postgres", "postgresql", "postgresql-repmgr", "pgsql"],
    ports: [5432],
  },
  "cache": { names: ["redis", "valkey"], ports: [6379] },
  "message-queue": { names: ["rabbitmq", "nats"], ports: [5672, 4222] },
  "infrahub-server": { names: ["infrahub", "infrahub-enterprise", "server"], ports: [8000] },
  "task-worker": { names: ["infrahub", "infrahub-enterprise", "worker"], ports: [] },
  "task-manager": { names: ["prefect", "infrahub", "infrahub-enterprise"], ports: [4200] },
  "task-manager-background-svc": {
    names: ["prefect", "infrahub", "infrahub-enterprise"],
    ports: [],
  },
};

/** The annotation that kubectl itself goes by. */
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

/** The containers of a pod of which one has to be chosen; none where kubectl knows which. */
export function parseContainers(pod: unknown): Container[] {
  const { metadata, spec } = members(pod);
  if (text(members(members(metadata).annotations)[DEFAULT_CONTAINER]) !== "") return [];
  return items(members(spec).containers).map((item) => {
    const { name, image, ports } = members(item);
    return {
      name: text(name),
      image: text(image),
      ports: items(ports).map((port) => number(members(port).containerPort)),
    };
  });
}

/**
 * The container that a service runs in. A sidecar that was put before it would be kubectl's choice:
 * the first one.
 *
 * @returns undefined where there is no choice, or nothing tells which it is
 */
export function chooseContainer(
  service: ServiceName,
  containers: readonly Container[],
): string | undefined {
  if (containers.length < 2) return undefined;
  const { names, ports } = MARKS[service] ?? { names: [], ports: [] };
  const tests: ((container: Container) => boolean)[] = [
    ({ name }) => name === service,
    ({ name }) => `-${name}`.endsWith(`-${service}`),
    ({ name }) => names.includes(name),
    ({ image }) => names.includes(imageName(image)),
    (container) => container.ports.some((port) => ports.includes(port)),
  ];
  for (const test of tests) {
    const found = containers.filter(test);
    if (found.length === 1) return found[0]?.name;
  }
  return undefined;
}

/** `postgres` of `registry.example.org:5000/library/postgres:15@sha256:…`. */
function imageName(image: string): string {
  return image.replace(/@.*$/, "").replace(/^.*\//, "").replace(/:.*$/, "");
}
