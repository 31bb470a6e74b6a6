/** Works on a deployment behind a stand-in `docker`, which runs what it is told on this host. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bench } from "./_bench.ts";

const POSTGRES_DUMP = new URL("../fixtures/dumps/postgres_16.dump", import.meta.url).pathname;
const SERVICES = "database task-manager-db infrahub-server task-worker task-manager cache";

const DOCKER = `
printf '%s\\n' "$*" >>"$LAB/calls"
case "$1 $2" in
  '--version ') exit 0 ;;
  'compose ls') printf 'NAME STATUS CONFIG FILES\\nlab running(6) /x\\n'; exit 0 ;;
esac
case $4 in
  ps)
    for service in ${SERVICES}; do
      state=running
      if [ -e "$LAB/down.$service" ]; then state=exited; fi
      printf '{"Name":"infrahub-%s","Service":"%s","State":"%s"}\\n' "$service" "$service" $state
    done ;;
  start | stop)
    verb=$4
    shift 4
    for service; do
      if [ $verb = stop ]; then : >"$LAB/down.$service"; else rm -f "$LAB/down.$service"; fi
    done ;;
  exec)
    shift 5
    while :; do
      case $1 in
        -u) shift 2 ;;
        -e) export "$2"; shift 2 ;;
        *) break ;;
      esac
    done
    shift
    # Nothing of the tool's own environment is in a container.
    unset INFRAHUB_DB_PASSWORD PREFECT_API_DATABASE_CONNECTION_URL
    exec "$@" ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
`;

/** Waits for the test to look around, where it wants to. */
const gate = (name: string) =>
  `if [ -p "$LAB/reached.${name}" ]; then
  echo here >"$LAB/reached.${name}"
  cat "$LAB/go.${name}" >/dev/null
fi`;

/** The programs in the containers, by name. All that would harm this host must be among them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  docker: DOCKER,
  "cypher-shell": `[ "$NEO4J_PASSWORD" = hush-neo4j ] || exit 9
printf 'edition\\n"enterprise"\\n'`,
  "neo4j-admin": `for argument; do case $argument in --to-path=*) to=\${argument#*=} ;; esac; done
${gate("neo4j")}
echo artifact >"$to/neo4j.backup"`,
  pg_dump: `[ "$PGPASSWORD" = hush-pg ] || exit 9
${gate("postgres")}
cat '${POSTGRES_DUMP}'`,
  pg_restore: `${gate("restore")}
cat >/dev/null`,
  psql: `case $* in
  *rolcreatedb*) echo 'p|t|t|t' ;;
  *json_build_object*) echo '{"owner":"o","encoding":"UTF8","collate":"C","ctype":"C"}' ;;
esac`,
  find: "",
  chown: "",
  pg_isready: "",
  whoami: "echo postgres",
  python: "echo 1.2.0",
  infrahubctl: "echo '[]'",
};

/** @param gates programs that wait for the test */
async function setUp(
  bench: Bench,
  gates: readonly string[] = [],
): Promise<Record<string, string>> {
  const lab = `${bench.root}/lab`;
  await Deno.mkdir(lab);
  for (const [name, body] of Object.entries(PROGRAMS)) {
    const script = `#!/bin/sh\nLAB='${lab}'\n${body}\n`;
    await Deno.writeTextFile(`${lab}/${name}`, script, { mode: 0o755 });
  }
  const pipes = gates.flatMap((name) => [`${lab}/reached.${name}`, `${lab}/go.${name}`]);
  if (pipes.length > 0) await new Deno.Command("mkfifo", { args: pipes }).output();
  return {
    PATH: `${lab}:${Deno.env.get("PATH")}`,
    INFRAHUB_DB_DATABASE: "neo4j",
    INFRAHUB_DB_USERNAME: "neo4j",
    INFRAHUB_DB_PASSWORD: "hush-neo4j",
    PREFECT_API_DATABASE_CONNECTION_URL: "postgresql+asyncpg://p:hush-pg@h/prefect",
  };
}

/** The command lines of all processes that there are. */
async function commandLines(): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // One that has ended meanwhile has no command line any more.
    lines.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
  }
  return lines;
}

Deno.test("a deployment is backed up, and no command line or log shows a secret", async () => {
  await using bench = await Bench.create();
  const env = await setUp(bench, ["neo4j", "postgres"]);
  const lab = `${bench.root}/lab`;
  const child = bench.start(["create", "--log-level", "debug"], { env });
  const output = child.output();
  // Both dumps run at the same time; opening a pipe waits for the other side.
  const ended = output.then(() => Promise.reject(new Error("ended before it came to the dumps")));
  ended.catch(() => {}); // It ends later, as it should.
  for (const component of ["neo4j", "postgres"]) {
    await Promise.race([Deno.readTextFile(`${lab}/reached.${component}`), ended]);
  }
  const lines = await commandLines();
  assertEquals(lines.filter((line) => line.includes(`${lab}/pg_dump`)).length, 1);
  assertEquals(lines.filter((line) => /hush-(neo4j|pg)/.test(line)), []);
  for (const component of ["neo4j", "postgres"]) {
    await Deno.writeTextFile(`${lab}/go.${component}`, "");
  }
  const { code, stdout, stderr } = await output;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stderr));
  assertMatch(text(stdout), /^Backup \d{8}_\d{6} complete: 3 components, [^\n]*\n$/);
  const calls = await Deno.readTextFile(`${lab}/calls`);
  assertEquals(/hush-(neo4j|pg)/.test(text(stderr) + text(stdout) + calls), false);
  assertMatch(
    calls,
    /^compose -p lab exec -T -e \S+ task-manager-db sh -c IFS=.* sh pg_dump -Fc -Z0 -h localhost -U p -d prefect$/m,
  );
  assertEquals(/^compose -p lab (start|stop)/m.test(calls), false);
  const [group] = await bench.json(["snapshots", "list"]);
  assertEquals([group.status, group.neo4j_edition, group.infrahub_version], [
    "complete",
    "enterprise",
    "1.2.0",
  ]);
  await bench.assertSound();

  const plan = await bench.succeed(["restore", "--dry-run"], { env });
  assertStringIncludes(plan.stdout, "restore Neo4j (enterprise) from neo4j-backup.tar");
  assertEquals(
    /^compose -p lab (start|stop)/m.test(await Deno.readTextFile(`${lab}/calls`)),
    false,
  );
});

Deno.test("a target that is named is the only one", async () => {
  await using bench = await Bench.create();
  const env = await setUp(bench);
  const { stdout } = await bench.succeed(["environment", "detect", "--json"], { env });
  const { kind, target } = JSON.parse(stdout);
  assertEquals([kind, target], ["docker", "lab"]);
  const listed = await bench.succeed(["environment", "list"], { env });
  assertEquals(listed.stdout, "  lab\n");
});

Deno.test("SIGTERM in the middle of a restore: services run again, the old data is there", async () => {
  await using bench = await Bench.create();
  const env = await setUp(bench, ["restore"]);
  const lab = `${bench.root}/lab`;
  await bench.succeed(["create"], { env });
  const child = bench.start(["restore"], { env });
  await Deno.readTextFile(`${lab}/reached.restore`);
  const down = async () =>
    (await Array.fromAsync(Deno.readDir(lab))).map(({ name }) => name)
      .filter((name) => name.startsWith("down.")).sort();
  assertEquals(await down(), [
    "down.cache",
    "down.infrahub-server",
    "down.task-manager",
    "down.task-worker",
  ]);
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 143, text);
  assertStringIncludes(text, "Neo4j: unchanged");
  assertStringIncludes(text, "PostgreSQL: unchanged");
  assertEquals(text.trim().split("\n").at(-1), "Error: interrupted by SIGTERM");
  assertEquals(await down(), []);
  const lines = await commandLines();
  assertEquals(lines.filter((line) => line.includes(`${lab}/`)), []);
});

Deno.test("a restore that fails exits with 1 and says what state everything is in", async () => {
  await using bench = await Bench.create();
  const env = await setUp(bench);
  await bench.succeed(["create"], { env });
  const lab = `${bench.root}/lab`;
  await Deno.writeTextFile(
    `${lab}/pg_restore`,
    "#!/bin/sh\ncat >/dev/null\necho boom >&2; exit 1\n",
  );
  const { code, stdout, stderr } = await bench.run(["restore", "--log-format", "json"], { env });
  assertEquals(code, 1, stderr);
  const { ok, error } = JSON.parse(stdout);
  assertEquals(ok, false);
  assertMatch(error, /^restore failed: failed to restore postgresql: [^]*boom/);
  assertStringIncludes(error, "Neo4j: unchanged\n  PostgreSQL: unchanged\n  services: those");
  const names = (await Array.fromAsync(Deno.readDir(lab))).map(({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith("down.")), []);
});
