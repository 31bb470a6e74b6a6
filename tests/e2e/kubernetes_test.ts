/**
 * Kubernetes, by a stand-in for `kubectl` and the cluster; the databases in the "pods" are real. See
 * `kubernetes/`.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BACKENDS, backupOf } from "./backends.ts";
import { backendStep } from "./matrix.ts";
import { KubernetesBed } from "./kubernetes/bed.ts";
import { roundTrip } from "./round_trip.ts";
import { RunningTool, runToolOk } from "./tool.ts";

/** A call as in the reference: `NS` for the namespace, `ID` for what is new each time. */
function normalize(bed: KubernetesBed, call: readonly string[]): string {
  return call.map((argument) => argument === bed.namespace ? "NS" : argument)
    .map((argument) => argument.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID"))
    .join(" ");
}

/** The argument lists that the reference has, without the commands in the pods. */
const SHAPES: readonly RegExp[] = [
  /^version --client$/,
  // Not in the reference, which tells no deployment from another.
  /^get namespace NS -o jsonpath=\{\.metadata\.uid\}$/,
  /^get pods -n NS -l app\.kubernetes\.io\/name=infrahub$/,
  // Where the reference asks for one field after the other by jsonpath, the whole is read at once.
  /^get (pods|deployment|statefulset) -n NS -o json$/,
  /^exec (-i )?-n NS infrahub-[a-z0-9-]+ -- /,
  /^scale -n NS (deployment|statefulset)\/infrahub-[a-z-]+ --replicas=\d+$/,
  // Not in the reference, whose counts are lost with the process.
  /^annotate -n NS (deployment|statefulset)\/infrahub-[a-z-]+ infrahub-backup\.opsmill\.com\/replicas(=\d+|-) --overwrite$/,
];

/** Commands in pods that the reference has: the pod, what goes in, and the command. */
const COMMANDS: Readonly<Record<"create" | "restore", readonly RegExp[]>> = {
  create: [
    /^exec -n NS infrahub-infrahub-server-\S+ -- env$/,
    /^exec -n NS infrahub-task-manager-\S+ -- env$/,
    /^exec -n NS infrahub-infrahub-server-\S+ -- python -c import infrahub; print\(infrahub\.__version__\)$/,
    /^exec -n NS infrahub-database-0 -- env \S+=ID neo4j-admin database dump --to-stdout neo4j$/,
    /^exec -i -n NS infrahub-task-manager-db-0 -- env \S+=ID sh -c .* pg_dump -Fc -Z0 -h localhost( -p 5432)? -U postgres -d prefect$/,
    /^scale -n NS deployment\/infrahub-infrahub-server --replicas=0$/,
    /^scale -n NS deployment\/infrahub-task-worker --replicas=0$/,
    /^scale -n NS statefulset\/infrahub-cache --replicas=0$/,
    /^scale -n NS deployment\/infrahub-infrahub-server --replicas=1$/,
    /^scale -n NS deployment\/infrahub-task-worker --replicas=2$/,
  ],
  restore: [
    /^exec -n NS infrahub-message-queue-0 -- find \/var\/lib\/rabbitmq -mindepth 1 -delete$/,
    // In the reference the files are deleted, which Redis writes again when it ends.
    /^exec -n NS infrahub-cache-0 -- env \S+=ID redis-cli FLUSHALL$/,
    /^exec -n NS infrahub-task-manager-db-0 -- whoami$/,
    // Over the socket, as the container's user: neither host nor user is named.
    /^exec -i -n NS infrahub-task-manager-db-0 -- env \S+=ID sh -c .* pg_restore --exit-on-error -w( -p 5432)? -d prefect_restore_\d{8}_\d{6}$/,
    // Commands run as neo4j there: no `su`.
    /^exec -i -n NS infrahub-database-0 -- env \S+=ID neo4j-admin database load --from-stdin --overwrite-destination=true infrahub-restore-[0-9a-f]{8}$/,
    /^scale -n NS deployment\/infrahub-task-manager-background-svc --replicas=0$/,
    /^scale -n NS deployment\/infrahub-task-worker --replicas=2$/,
  ],
};

/** What every run may call, and what this one must have called. */
async function assertCalls(bed: KubernetesBed, command: "create" | "restore"): Promise<void> {
  const calls = (await bed.cluster.calls()).map((call) => normalize(bed, call));
  assertEquals(calls.filter((call) => !SHAPES.some((shape) => shape.test(call))), []);
  assertEquals(
    COMMANDS[command].filter((one) => !calls.some((call) => one.test(call))),
    [],
    calls.join("\n"),
  );
  for (const decoy of bed.decoys) {
    assertEquals(calls.filter((call) => call.includes(` ${decoy} `)), []);
  }
  const { neo4j, postgres } = bed.deployment.passwords;
  for (const secret of [neo4j, postgres, encodeURIComponent(postgres)]) {
    assert(!calls.some((call) => call.includes(secret)), "a password is on a command line");
  }
}

Deno.test("stand-in for kubectl, with real PostgreSQL and Neo4j Community", async (t) => {
  await using bed = await KubernetesBed.startKubernetes();
  await roundTrip(t, bed, "kubernetes");

  const folder = await Deno.makeTempDir();
  try {
    for (const backend of BACKENDS) {
      let backup = "";
      await backendStep(
        t,
        { bed: "kubernetes", backend },
        "calls of create are those of the reference",
        async () => {
          await bed.cluster.forgetCalls();
          backup = backupOf(backend, (await runToolOk(bed, backend.create(folder))).stdout);
          await assertCalls(bed, "create");
        },
      );

      await backendStep(
        t,
        { bed: "kubernetes", backend },
        "replica counts outlive a restore that is killed",
        async () => {
          const data = await bed.readAll();
          {
            await using run = await RunningTool.start(bed, backend.restore(folder, backup));
            await run.reach(/Stopping message-queue\.\.\./);
            run.signal("SIGKILL");
            assertEquals((await run.outcome).code, 137);
          }
          const down = await bed.replicas();
          assert(
            down.includes(
              'infrahub-task-worker: 0 {"infrahub-backup.opsmill.com/replicas":"2"}',
            ),
            down.join("\n"),
          );
          // The services that know the passwords are down: whoever runs it has to say them.
          const { neo4j, postgres } = bed.deployment.passwords;
          const env = {
            INFRAHUB_DB_PASSWORD: neo4j,
            PREFECT_API_DATABASE_CONNECTION_URL: `postgresql://postgres:${
              encodeURIComponent(postgres)
            }@task-manager-db/prefect`,
          };
          await runToolOk(bed, backend.restore(folder, backup), { env });
          await bed.assertBackToNormal();
          assertEquals(await bed.readAll(), data);
        },
      );

      await backendStep(
        t,
        { bed: "kubernetes", backend },
        "calls of restore are those of the reference",
        async () => {
          await bed.cluster.forgetCalls();
          await runToolOk(bed, backend.restore(folder, backup));
          await assertCalls(bed, "restore");
        },
      );
    }

    await t.step("the environment is found by its namespace", async () => {
      const { stdout } = await runToolOk(bed, ["environment", "detect", "--json"]);
      assertStringIncludes(stdout, bed.namespace);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
