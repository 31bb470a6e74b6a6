import { assert, assertEquals } from "@std/assert";
import { Bench } from "./_bench.ts";

/** Values of a metrics file, by name and labels. */
async function read(path: string): Promise<Map<string, number>> {
  const text = await Deno.readTextFile(path);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const [, id = "", value = ""] = /^(\w+\{.*\}) (\S+)$/.exec(line) ?? [];
    assert(id !== "" && !Number.isNaN(Number(value)), line);
    return [id, Number(value)];
  }));
}

Deno.test("--metrics-file tells success and failure, and keeps the last success", async () => {
  await using bench = await Bench.create();
  const metrics = `${bench.root}/metrics/infrahub.prom`;
  await Deno.mkdir(`${bench.root}/metrics`);
  const env = { INFRAHUB_METRICS_FILE: metrics };
  const { size } = await Deno.stat(bench.dump);
  const create = ["create", "from-files", "--neo4j-path"];

  await bench.succeed([...create, bench.neo4j, "--postgres-path", bench.dump], { env });
  const first = await read(metrics);
  const place = `repository="${bench.repository}"`;
  const own = `{operation="create",${place}}`;
  assertEquals(first.get(`infrahub_backup_last_run_success${own}`), 1);
  assertEquals(first.get(`infrahub_backup_last_run_exit_code${own}`), 0);
  const success = first.get(`infrahub_backup_last_success_timestamp_seconds${own}`) ?? 0;
  assert(Math.abs(success - Date.now() / 1_000) < 600);
  const postgres = `{operation="create",component="postgres",${place}}`;
  assertEquals(first.get(`infrahub_backup_component_bytes_read${postgres}`), size);
  assert((first.get(`infrahub_backup_component_bytes_stored${postgres}`) ?? 0) > 0);

  // Whatever fails, and wrong usage does as well.
  for (const args of [[...create, "/nowhere"], [...create, bench.neo4j, "--bogus"]]) {
    assertEquals((await bench.run(args, { env })).code, 1);
    const failed = await read(metrics);
    assertEquals(failed.get(`infrahub_backup_last_run_success${own}`), 0);
    assertEquals(failed.get(`infrahub_backup_last_run_exit_code${own}`), 1);
    assertEquals(failed.get(`infrahub_backup_last_success_timestamp_seconds${own}`), success);
    assertEquals(failed.get(`infrahub_backup_component_bytes_read${postgres}`), size);
  }

  await bench.succeed(["snapshots", "check"], { env });
  const both = await read(metrics);
  assertEquals(both.get(`infrahub_backup_last_run_success{operation="check",${place}}`), 1);
  assertEquals(both.get(`infrahub_backup_last_run_success${own}`), 0);

  const names = [...Deno.readDirSync(`${bench.root}/metrics`)].map(({ name }) => name);
  assertEquals(names, ["infrahub.prom"]);
  const { mode } = await Deno.stat(metrics);
  assertEquals((mode ?? 0) & 0o777, 0o644);
});

Deno.test("metrics that cannot be written are a warning, and no more", async () => {
  await using bench = await Bench.create();
  const { stderr } = await bench.succeed([
    "create",
    "from-files",
    "--neo4j-path",
    bench.neo4j,
    "--metrics-file=/dev/null/metrics.prom",
  ]);
  assert(/level=warning msg="cannot (read|write) metrics/.test(stderr), stderr);
});
