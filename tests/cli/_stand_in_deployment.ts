/**
 * A deployment that is none: a stand-in `docker` that runs what it is told on this host, and
 * stand-ins of the programs that are found in containers.
 *
 * @module
 */

const DUMPS = new URL("../fixtures/dumps", import.meta.url).pathname;
const POSTGRES_DUMP = `${DUMPS}/postgres_16.dump`;
const COMMUNITY_DUMP = `${DUMPS}/stream.zst`;
const SERVICES = "database task-manager-db infrahub-server task-worker task-manager " +
  "task-manager-background-svc cache message-queue";

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
case $* in
  *currentStatus*) printf 'currentStatus\\n"online"\\n' ;;
  *directories*)
    printf 'name, value\\n"server.directories.data", "%s/data"\\n' "$LAB"
    printf '"server.directories.transaction.logs.root", "%s/data/transactions"\\n' "$LAB" ;;
  *statusCheck*) printf 'requester, serverId\\nTRUE, "server-1"\\n' ;;
  *versions*) printf 'name, versions\\n"Neo4j Kernel", ["5.26.12"]\\n' ;;
  *graph_version*) printf 'graph_version\\n49\\n' ;;
  *) printf 'name, edition\\n"Neo4j Kernel", "enterprise"\\n' ;;
esac`,
  "neo4j-admin": `for argument; do
  case $argument in
    --to-path=*) to=\${argument#*=} ;;
    --to-stdout) exec cat '${COMMUNITY_DUMP}' ;;
    restore) exit 0 ;;
  esac
done
${gate("neo4j")}
echo artifact >"$to/neo4j.backup"`,
  pg_dump: `[ "$PGPASSWORD" = hush-pg ] || exit 9
${gate("postgres")}
cat '${POSTGRES_DUMP}'`,
  pg_restore: `${gate("restore")}
cat >/dev/null`,
  psql: `case $* in
  *rolcreatedb*) echo 'p|t|t|t' ;;
  *server_version_num*) printf '160004\\n160004\\n' ;;
  *json_build_object*) echo '{"owner":"o","encoding":"UTF8","collate":"C","ctype":"C"}' ;;
esac`,
  find: "",
  "redis-cli": `case $* in
  INFO*) echo '# Keyspace' ;;
  FLUSHALL | SAVE) echo OK ;;
  *EVAL*) echo '0 0' ;;
  *) exit 64 ;;
esac`,
  chown: "",
  pg_isready: "",
  whoami: "echo postgres",
  python: "case $* in *GRAPH_VERSION*) echo 49 ;; *) echo 1.2.0 ;; esac",
  infrahub: "",
  infrahubctl: "echo '[]'",
};

/**
 * Makes a deployment called `lab` in a new folder.
 *
 * @param lab the folder
 * @param gates programs that wait for the test
 * @returns the variables under which the tool finds it
 */
export async function makeStandInDeployment(
  lab: string,
  gates: readonly string[] = [],
): Promise<Record<string, string>> {
  await Deno.mkdir(lab);
  for (const folder of ["databases", "transactions"]) {
    await Deno.mkdir(`${lab}/data/${folder}/neo4j`, { recursive: true });
  }
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
    PREFECT_API_DATABASE_CONNECTION_URL: "postgresql+asyncpg://p:hush-pg@task-manager-db/prefect",
  };
}
