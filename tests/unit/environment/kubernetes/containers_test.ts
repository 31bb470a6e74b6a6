import { assertEquals } from "@std/assert";
import {
  chooseContainer,
  parseContainers,
} from "../../../../src/environment/kubernetes/_containers.ts";

function pod(containers: unknown[], annotations: Record<string, string> = {}) {
  return { metadata: { annotations }, spec: { containers } };
}

const SIDECARS = [
  { name: "istio-proxy", image: "docker.io/istio/proxyv2:1.22", ports: [{ containerPort: 15090 }] },
  { name: "exporter", image: "prom/exporter" },
];

Deno.test("chooseContainer finds a service among its sidecars, wherever it stands", async (t) => {
  const rows: [string, Record<string, unknown>][] = [
    ["database", { name: "database" }],
    ["database", { name: "infrahub-database" }],
    ["database", { name: "neo4j" }],
    ["database", { name: "main", image: "registry.example.org:5000/x/neo4j:5.20@sha256:ab" }],
    ["database", { name: "main", image: "own", ports: [{ containerPort: 7687 }] }],
    ["task-manager-db", { name: "postgres" }],
    ["task-manager-db", { name: "main", image: "bitnami/postgresql:15" }],
    ["cache", { name: "redis" }],
    ["message-queue", { name: "main", image: "rabbitmq:3-management" }],
    ["infrahub-server", { name: "main", image: "registry.opsmill.io/opsmill/infrahub:1.4" }],
    ["task-worker", { name: "task-worker", image: "x" }],
  ];
  for (const [service, container] of rows) {
    await t.step(`${service}: ${JSON.stringify(container)}`, () => {
      for (const containers of [[...SIDECARS, container], [container, ...SIDECARS]]) {
        assertEquals(chooseContainer(service, parseContainers(pod(containers))), container.name);
      }
    });
  }
});

Deno.test("chooseContainer leaves the choice to kubectl where it knows, or nothing tells", () => {
  const neo4j = { name: "neo4j", image: "neo4j" };
  const annotations = { "kubectl.kubernetes.io/default-container": "neo4j" };
  for (
    const one of [
      {},
      pod([]),
      pod([neo4j]),
      pod([...SIDECARS, neo4j], annotations),
      pod(SIDECARS),
    ]
  ) assertEquals(chooseContainer("database", parseContainers(one)), undefined);
  // Two that could be it: none is guessed.
  const twice = pod([{ name: "a", image: "neo4j" }, { name: "b", image: "neo4j" }]);
  assertEquals(chooseContainer("database", parseContainers(twice)), undefined);
});
