/** Neo4j comes back, whoever is killed while it is held: by the product, on a real Neo4j. */

import { assertEquals } from "@std/assert";
import { Deployment, text, waitUntil } from "./deployment.ts";
import { PID_FILE } from "./hold.ts";
import { cypher, neo4jReady, readAllNodes, seedNeo4j } from "./neo4j.ts";
import { findTool } from "../../scripts/tool.ts";
import { withProgram } from "./faults.ts";
import { runToolOk } from "./tool.ts";

const HOLDER = new URL("./_hold_neo4j.ts", import.meta.url).pathname;

async function restarts(deployment: Deployment): Promise<string> {
  const id = await deployment.container("database");
  return text(await deployment.docker(["inspect", "-f", "{{.RestartCount}}", id])).trim();
}

async function shell(deployment: Deployment, script: string): Promise<string> {
  return text(await deployment.exec("database", ["sh", "-c", script])).trim();
}

/** The clients of watchdogs on this host. */
async function clients(deployment: Deployment): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const argv = (await Deno.readTextFile(`/proc/${name}/cmdline`)).split("\0");
      const isClient = argv[0]?.endsWith("docker") && argv.includes(deployment.project) &&
        argv.includes("infrahub-watchdog");
      if (isClient) found.push(Number(name));
    } catch {
      // Processes come and go.
    }
  }
  return found;
}

Deno.test("Neo4j Community comes back, whoever is killed", async (t) => {
  await using deployment = await Deployment.start();
  await neo4jReady(deployment);
  await seedNeo4j(deployment, 300);
  const before = await readAllNodes(deployment);

  const held = (name: string, kill: (holder: Deno.ChildProcess) => Promise<void> | void) =>
    t.step(name, async () => {
      const pid = await shell(deployment, `cat ${PID_FILE}`);
      const count = await restarts(deployment);
      const holder = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", HOLDER, deployment.project, deployment.passwords.neo4j],
        env: { ...deployment.environment },
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = holder.stdout.getReader();
      assertEquals(new TextDecoder().decode((await reader.read()).value), "held\n");
      assertEquals(await shell(deployment, `cut -d' ' -f3 /proc/${pid}/stat`), "T");
      assertEquals(await restarts(deployment), count);
      await kill(holder);
      await waitUntil("the restart", async () => await restarts(deployment) !== count);
      if (name !== "the program") holder.kill("SIGKILL");
      await holder.status;
      await reader.cancel();
      await neo4jReady(deployment);
      assertEquals(await readAllNodes(deployment), before);
    });
  await held("the program", (holder) => holder.kill("SIGKILL"));
  await held("its client", async () => {
    const [client, ...others] = await clients(deployment);
    assertEquals(others, []);
    Deno.kill(client ?? 0, "SIGKILL");
  });
  await held("the watchdog", async () => {
    const find = `grep -alxz infrahub-watchdog /proc/[0-9]*/cmdline | cut -d/ -f3`;
    await shell(deployment, `kill $(${find}) 2>/dev/null; :`);
  });

  await t.step("a restore that is killed while it loads has changed nothing", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const target = {
        toolArguments: ["--project", deployment.project],
        toolEnvironment: deployment.environment,
      };
      const base = ["--backend", "plakar", "--repo", `${folder}/repository`];
      await runToolOk(target, [...base, "create", "--force"]);
      await cypher(deployment, "CREATE (:AttributeValue {value: 'made later'})");
      const later = await readAllNodes(deployment);
      const count = await restarts(deployment);
      const { argv: [program, ...first], env } = findTool();
      // The load has got all but the end of its input, and waits.
      const slow = { service: "database", program: "neo4j-admin", when: "*database*load*" };
      const script = `touch /tmp/loading; head -c 1000 | "$real" "$@"; exec sleep 100000`;
      await withProgram(deployment, slow, script, async () => {
        const restore = new Deno.Command(program, {
          args: [...first, ...target.toolArguments, ...base, "restore"],
          clearEnv: true,
          env: { PATH: Deno.env.get("PATH") ?? "", ...env, ...target.toolEnvironment },
          stdin: "null",
          stdout: "null",
          stderr: "null",
        }).spawn();
        await waitUntil(
          "the load",
          async () =>
            await shell(deployment, "[ -e /tmp/loading ] && echo loading; :") === "loading",
        );
        restore.kill("SIGKILL");
        await restore.status;
      });
      // It was not even stopped.
      assertEquals(await restarts(deployment), count);
      await neo4jReady(deployment);
      assertEquals(await readAllNodes(deployment), later);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
