import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type CommandInput,
  type CommandStream,
  Host,
  type RunOptions,
  type ServiceName,
  type StreamOptions,
} from "../../../../src/environment/mod.ts";
import { failure } from "../../infrahub/fake_environment.ts";
import { type Scenario, ScriptedDeployment, Workbench } from "../_deployment.ts";

const JSON_LOG = ["--log-format", "json"];
const SERVER = "infrahub-server";
const OBJECTS = { "0f3a-artifact": "hostname r1\n", "77c1-upload": "\0\x01binary" };
const NO = failure(["x"], 1, "no");

/**
 * A deployment whose API server has a real directory of objects, and this host's own programs for it;
 * as in a container, they can be run only while the server does.
 */
class StorageDeployment extends ScriptedDeployment {
  readonly #directory: string;
  readonly #host = new Host();
  /** Words in a command that make it fail. */
  broken = "";

  constructor(directory: string, scenario: Scenario = {}, variables = "") {
    super({
      ...scenario,
      prepare: (e) => {
        scenario.prepare?.(e);
        e.on(
          SERVER,
          /^env$/,
          `INFRAHUB_DB_PASSWORD=hush-neo4j\nINFRAHUB_STORAGE_LOCAL_PATH=${directory}\n${variables}`,
        );
      },
    });
    this.#directory = directory;
  }

  #isOurs(service: ServiceName, argv: readonly string[]): boolean {
    const command = argv.join(" ");
    if (service === SERVER && this.statuses.get(SERVER) !== "running") {
      throw failure(argv, 1, "service is not running");
    }
    if (service !== SERVER || !(command.includes(this.#directory) || argv[0] === "tar")) {
      return false;
    }
    if (this.broken !== "" && command.includes(this.broken)) throw failure(argv, 1, "broken");
    return true;
  }

  override async run(
    service: ServiceName,
    argv: readonly string[],
    options?: RunOptions,
  ): Promise<string> {
    if (!this.#isOurs(service, argv)) return await super.run(service, argv, options);
    return await this.#host.run(service, argv, options);
  }

  override async streamOut(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandStream> {
    if (!this.#isOurs(service, argv)) return await super.streamOut(service, argv, options);
    this.note(service, argv);
    return await this.#host.streamOut(service, argv, options);
  }

  override async streamIn(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandInput> {
    if (!this.#isOurs(service, argv)) return await super.streamIn(service, argv, options);
    this.note(service, argv);
    return await this.#host.streamIn(service, argv, options);
  }

  note(service: ServiceName, argv: readonly string[]): void {
    const command = argv.join(" ");
    this.calls.push({ kind: "run", service, command, argv, user: undefined, env: {}, secrets: {} });
  }

  /** What the server was told about its objects, and its starts and stops, in words. */
  get objectStory(): string[] {
    return this.log.flatMap((line) =>
      /^(start|stop) (infrahub-server|task-worker)$/.test(line)
        ? [line]
        : /: (sh -c tar|tar) .*-cf/.test(line)
        ? ["read the objects"]
        : /: tar -xf/.test(line)
        ? ["unpack the objects"]
        : /: neo4j-admin database (dump|load|restore)/.test(line)
        ? [line.split(" ").slice(1, 4).join(" ")]
        : []
    );
  }
}

async function fill(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  await Deno.mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(`${directory}/${name}`, content);
  }
  return directory;
}

async function filesIn(directory: string): Promise<Record<string, string>> {
  const files: [string, string][] = [];
  for await (const { name } of Deno.readDir(directory)) {
    files.push([name, await Deno.readTextFile(`${directory}/${name}`)]);
  }
  return Object.fromEntries(files.sort(([a], [b]) => a < b ? -1 : 1));
}

for (const backend of ["plakar", "tarball"] as const) {
  const backUp = async (bench: Workbench, deployment: StorageDeployment) => {
    const argv = ["create", "--with-storage", ...JSON_LOG];
    const { code, out, err } = await bench.run(argv, { deployment, backend });
    assertEquals(code, 0, err);
    const result = JSON.parse(out);
    const components = result.components.map((one: { component: string }) => one.component);
    assertEquals(components.includes("storage"), true);
    return { source: backend === "plakar" ? [] : [result.path], result };
  };

  Deno.test(`--with-storage: objects are read when the graph has been, and come back (${backend})`, async (t) => {
    await using bench = await Workbench.create();
    const objects = await fill(`${bench.root}/objects`, OBJECTS);
    const made = new StorageDeployment(objects);
    const { source } = await backUp(bench, made);
    assertEquals(made.objectStory.slice(0, 6), [
      "stop infrahub-server",
      "stop task-worker",
      "neo4j-admin database dump",
      "start infrahub-server",
      "start task-worker",
      "read the objects",
    ]);
    await t.step("into a deployment with others", async () => {
      const other = await fill(`${bench.root}/other`, { "0f3a-artifact": "newer", gone: "x" });
      const deployment = new StorageDeployment(other);
      const argv = ["restore", ...source, ...JSON_LOG];
      const { code, out, err } = await bench.run(argv, { deployment, backend });
      assertEquals(code, 0, err);
      assertEquals(JSON.parse(out).components, ["neo4j", "postgres", "storage"]);
      assertEquals(await filesIn(other), OBJECTS);
      assertEquals(deployment.objectStory.slice(2, 6), [
        "neo4j-admin database load",
        "start infrahub-server",
        "unpack the objects",
        "start task-worker",
      ]);
      assertEquals(deployment.down, []);
    });
    await t.step("into one that is wholly down, and has no directory yet", async () => {
      const deployment = new StorageDeployment(`${bench.root}/new`);
      for (const service of deployment.statuses.keys()) deployment.statuses.set(service, "stopped");
      const { code, err } = await bench.run(["restore", ...source], { deployment, backend });
      assertEquals(code, 0, err);
      assertStringIncludes(err, "Whether the stored objects fit has not been checked");
      assertEquals(await filesIn(`${bench.root}/new`), OBJECTS);
    });
    await t.step("the plan says so, and touches nothing", async () => {
      const other = await fill(`${bench.root}/planned`, { gone: "x" });
      const deployment = new StorageDeployment(other);
      const argv = ["restore", ...source, "--dry-run"];
      const { code, out, err } = await bench.run(argv, { deployment, backend });
      assertEquals([code, deployment.story, await filesIn(other)], [0, [], { gone: "x" }], err);
      assertStringIncludes(out, "restore the stored objects from storage.tar (");
    });
    await t.step("a failure leaves the objects as they were, and is told", async () => {
      for (
        const [broken, state] of [
          ["-xf", "stored objects: unchanged"],
          ['mkdir "$part"', "stored objects: put back as it was before"],
        ] as const
      ) {
        const other = await fill(`${bench.root}/kept`, { kept: "x" });
        const deployment = new StorageDeployment(other);
        deployment.broken = broken;
        const { code, err } = await bench.run(["restore", ...source], { deployment, backend });
        assertEquals(code, 1);
        assertStringIncludes(err, "Neo4j: restored");
        assertStringIncludes(err, state);
        assertEquals([await filesIn(other), deployment.down], [{ kept: "x" }, []]);
      }
    });
    await t.step("no room is told before anything is touched", async () => {
      const deployment = new ScriptedDeployment({
        prepare: (e) =>
          e.on(SERVER, /^env$/, "").on(SERVER, /^df/, "Filesystem\n/dev/x 9000 9000 0 100% /"),
      });
      const { code, err } = await bench.run(["restore", ...source], { deployment, backend });
      assertEquals([code, deployment.story], [1, []]);
      assertStringIncludes(err, "not enough space in /opt/infrahub/storage of infrahub-server");
    });
    await t.step("S3 takes no files: that is left to do", async () => {
      const deployment = new ScriptedDeployment({
        prepare: (e) =>
          e.on(
            SERVER,
            /^env$/,
            "INFRAHUB_STORAGE_DRIVER=s3\nINFRAHUB_STORAGE_BUCKET_NAME=objects",
          ),
      });
      const argv = ["restore", ...source, ...JSON_LOG];
      const { code, out, err } = await bench.run(argv, { deployment, backend });
      assertEquals(code, 0, err);
      assertStringIncludes(JSON.parse(out).left_to_do[0], "in S3 (bucket objects)");
    });
    await t.step("restore --to gives the tar", async () => {
      const to = `${bench.root}/to`;
      const { code, err } = await bench.run(["restore", ...source, "--to", to], { backend });
      assertEquals(code, 0, err);
      const tar = `${to}/${backend === "plakar" ? "" : "backup/"}storage.tar`;
      const { stdout } = await new Deno.Command("tar", { args: ["-tf", tar] }).output();
      assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), [
        "./",
        "./0f3a-artifact",
        "./77c1-upload",
      ]);
    });
  });

  Deno.test(`--with-storage: an online backup reads the objects last (${backend})`, async () => {
    await using bench = await Workbench.create();
    const objects = await fill(`${bench.root}/objects`, OBJECTS);
    const made = new StorageDeployment(objects, { edition: "enterprise" });
    await backUp(bench, made);
    const order = made.log.filter((line) => /tar .*-cf/.test(line)).map((line) =>
      line.slice(0, line.indexOf(":"))
    );
    assertEquals(order, ["database", SERVER]);
    assertEquals(made.down, []);
  });

  Deno.test(`--with-storage is refused before anything is touched where it cannot be (${backend})`, async () => {
    await using bench = await Workbench.create();
    const rows = [
      ["INFRAHUB_STORAGE_DRIVER=s3", "which --with-storage does not back up"],
      [NO, "cannot find out where Infrahub keeps its objects"],
      ["INFRAHUB_STORAGE_LOCAL_PATH=/nowhere/at/all", "there is no storage directory /nowhere"],
    ] as const;
    for (const [variables, message] of rows) {
      const deployment = new ScriptedDeployment({
        prepare: (e) => e.on(SERVER, /^env$/, variables).on(SERVER, "[ -d", NO),
      });
      const { code, err } = await bench.run(["create", "--with-storage"], { deployment, backend });
      assertEquals([code, deployment.story], [1, []]);
      assertStringIncludes(err, message);
    }
  });

  Deno.test(`without --with-storage a backup says what it has not, and a restore too (${backend})`, async () => {
    await using bench = await Workbench.create();
    const objects = await fill(`${bench.root}/objects`, OBJECTS);
    const create = ["create", ...JSON_LOG];
    const made = await bench.run(create, { deployment: new StorageDeployment(objects), backend });
    assertStringIncludes(made.err, "Not in this backup: the objects that Infrahub keeps as files");
    const source = backend === "plakar" ? [] : [JSON.parse(made.out).path];
    const other = await fill(`${bench.root}/other`, { own: "x" });
    const deployment = new StorageDeployment(other);
    const { code, err } = await bench.run(["restore", ...source], { deployment, backend });
    assertEquals([code, await filesIn(other)], [0, { own: "x" }]);
    assertStringIncludes(err, "The backup has no stored objects (artifacts, uploads)");
  });
}

Deno.test("--with-storage --no-wait waits for the server all the same, which has the objects", async () => {
  await using bench = await Workbench.create();
  const objects = await fill(`${bench.root}/objects`, OBJECTS);
  const deployment = new StorageDeployment(objects);
  deployment.healths.set(SERVER, ["unhealthy", "healthy"]);
  const argv = ["create", "--with-storage", "--no-wait"];
  const { code, err } = await bench.run(argv, { deployment });
  assertEquals([code, deployment.healths.get(SERVER)], [0, []], err);
});

Deno.test("--with-storage adds nothing to a backup that has begun without it", async () => {
  await using bench = await Workbench.create();
  const broken = new ScriptedDeployment({ postgres: "fails" });
  assertEquals((await bench.run(["create"], { deployment: broken })).code, 1);
  const [group] = await bench.groups();
  const argv = ["create", "--with-storage", "--resume", group?.backup_id ?? ""];
  const { code, err } = await bench.run(argv);
  assertEquals(code, 0, err);
  assertStringIncludes(err, "--with-storage ignored: a resumed backup gets what it lacks");
});

Deno.test("objects that could not be read are added by --resume, and may be restored alone", async () => {
  await using bench = await Workbench.create();
  const objects = await fill(`${bench.root}/objects`, OBJECTS);
  const broken = new StorageDeployment(objects);
  broken.broken = "-cf";
  const failed = await bench.run(["create", "--with-storage"], { deployment: broken });
  assertEquals([failed.code, broken.down], [1, []]);
  const [group] = await bench.groups();
  assertEquals(group?.status, "incomplete");
  const resumed = await bench.run(["create", "--resume", group?.backup_id ?? ""], {
    deployment: new StorageDeployment(objects),
  });
  assertEquals(resumed.code, 0, resumed.err);
  assertEquals(resumed.err.includes("Not in this backup"), false);
  const [whole] = await bench.groups();
  assertEquals([whole?.status, whole?.snapshots.map(({ component }) => component)], [
    "complete",
    ["neo4j", "postgres", "storage", "metadata"],
  ]);
  const check = await bench.run(["snapshots", "check", "--dumps"]);
  assertEquals(check.code, 0, check.err);
  const id = whole?.snapshots.find(({ component }) => component === "storage")?.snapshot_id ?? "";
  const other = await fill(`${bench.root}/other`, { gone: "x" });
  const deployment = new StorageDeployment(other);
  const { code, err } = await bench.run(["restore", "--snapshot", id], { deployment });
  assertEquals(code, 0, err);
  assertEquals([await filesIn(other), deployment.down], [OBJECTS, []]);
});
