import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { formatMetrics, parseMetrics, writeMetrics } from "../../../../src/cli/report/metrics.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const RUN = {
  place: {},
  operation: "create",
  version: "1.0",
  exitCode: 0,
  isSuccess: true,
  end: new Date(1_700_000_000_400),
  durationSeconds: 12.5,
  components: [{ component: "neo4j", bytesRead: 10 }],
};
const FAILED = {
  ...RUN,
  exitCode: 1,
  isSuccess: false,
  end: new Date(1_700_000_100_000),
  components: [],
};

Deno.test("a failure keeps what is known of the last success", () => {
  const after = parseMetrics(formatMetrics(FAILED, parseMetrics(formatMetrics(RUN, new Map()))));
  const value = (name: string, labels = 'operation="create"') =>
    after.get(`infrahub_backup_${name}{${labels}}`);
  assertEquals(value("last_run_success"), "0");
  assertEquals(value("last_run_exit_code"), "1");
  assertEquals(value("last_run_timestamp_seconds"), "1700000100");
  assertEquals(value("last_success_timestamp_seconds"), "1700000000");
  assertEquals(value("component_bytes_read", 'operation="create",component="neo4j"'), "10");
});

Deno.test("a success forgets components that it does not have, of its own operation only", () => {
  const other = formatMetrics({ ...RUN, operation: "restore" }, new Map());
  const before = parseMetrics(formatMetrics(RUN, parseMetrics(other)));
  const text = formatMetrics({ ...RUN, version: "2.0", components: [] }, before);
  assertEquals(text.match(/^infrahub_backup_component_bytes_read\{.*$/gm), [
    'infrahub_backup_component_bytes_read{operation="restore",component="neo4j"} 10',
  ]);
  assertEquals(text.match(/^infrahub_backup_build_info.*$/gm), [
    'infrahub_backup_build_info{version="2.0"} 1',
  ]);
});

Deno.test("writeMetrics replaces the file, for everybody to read, and leaves nothing else", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = directory.at("backup.prom");
  await writeMetrics(path, RUN);
  await writeMetrics(path, { ...RUN, operation: "check" });
  const text = await Deno.readTextFile(path);
  assertStringIncludes(text, 'last_run_success{operation="create"} 1');
  assertStringIncludes(text, 'last_run_success{operation="check"} 1');
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o644);
  const names = await Array.fromAsync(Deno.readDir(directory.at(".")));
  assertEquals(names.map(({ name }) => name), ["backup.prom"]);
  await assertRejects(
    () => writeMetrics(directory.at("absent/backup.prom"), RUN),
    Error,
    "cannot write metrics to ",
  );
});

Deno.test("runs of other deployments or repositories have series of their own", () => {
  const series = (
    place: { deployment?: string; repository?: string },
  ) => [...parseMetrics(formatMetrics({ ...RUN, place }, new Map())).keys()];
  const places = [
    {},
    { deployment: "a" },
    { deployment: "b" },
    { deployment: "a", repository: "/srv/{x}" },
    { deployment: "a", repository: 's3://host/bucket/"q"' },
  ];
  const all = places.flatMap(series);
  assertEquals(new Set(all).size, all.length);
  // In one file they live side by side: what one forgets stays with the other.
  const [, a = {}, b = {}] = places;
  const text = formatMetrics(
    { ...RUN, place: b, components: [] },
    parseMetrics(formatMetrics({ ...RUN, place: a }, new Map())),
  );
  assertEquals(text.match(/^infrahub_backup_component_bytes_read\{.*$/gm), [
    'infrahub_backup_component_bytes_read{operation="create",component="neo4j",deployment="a"} 10',
  ]);
});
