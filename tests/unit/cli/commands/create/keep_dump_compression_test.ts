import { assertEquals, assertGreater, assertNotEquals, assertStringIncludes } from "@std/assert";
import * as zlib from "node:zlib";
import { DUMPS, ScriptedDeployment, Workbench } from "../../_deployment.ts";

const JSON_LOG = ["--log-format", "json"];
/** Old runtimes cannot decompress zstd, and store dumps as they are. */
const ignore = !("zstdDecompressSync" in zlib);
const { zstdDecompressSync } = zlib as unknown as {
  zstdDecompressSync(frame: Uint8Array): Uint8Array;
};
const PREFIX_BYTES = "DZV1".length;
const NAME = "neo4j-admin database";

interface Setting {
  readonly backend: "plakar" | "tarball";
  readonly argv?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly dump?: Uint8Array;
}

/** Backs up and restores. @returns what Neo4j is given, and the log of the backup */
async function thereAndBack({ backend, argv = [], variables = {}, dump }: Setting) {
  await using bench = await Workbench.create();
  const deployment = new ScriptedDeployment(dump === undefined ? {} : { neo4j: dump });
  const create = ["create", ...argv, ...JSON_LOG];
  const { code, out, err } = await bench.run(create, { backend, variables, deployment });
  assertEquals(code, 0, err);
  const source = backend === "plakar" ? [] : [JSON.parse(out).path];
  const restored = await bench.run(["restore", ...source, ...JSON_LOG], { backend });
  assertEquals(restored.code, 0, restored.err);
  return { loaded: restored.deployment.received.get(NAME) ?? new Uint8Array(), log: err };
}

Deno.test({
  name: "create stores a Community dump in a repository without its compression",
  ignore,
  async fn() {
    const { loaded } = await thereAndBack({ backend: "plakar" });
    assertNotEquals(loaded, DUMPS.community);
    assertGreater(loaded.length, DUMPS.community.length);
    assertEquals(loaded.subarray(0, PREFIX_BYTES), DUMPS.community.subarray(0, PREFIX_BYTES));
    assertEquals(
      zstdDecompressSync(loaded.subarray(PREFIX_BYTES)),
      zstdDecompressSync(DUMPS.community.subarray(PREFIX_BYTES)),
    );
  },
});

Deno.test("create keeps a Community dump as it is where it has to", async (t) => {
  const settings: readonly [string, Setting][] = [
    ["--keep-dump-compression", { backend: "plakar", argv: ["--keep-dump-compression"] }],
    ["its variable", { backend: "plakar", variables: { INFRAHUB_KEEP_DUMP_COMPRESSION: "true" } }],
    ["an archive", { backend: "tarball" }],
  ];
  for (const [name, setting] of settings) {
    await t.step(name, async () => {
      assertEquals((await thereAndBack(setting)).loaded, DUMPS.community);
    });
  }
});

Deno.test({
  name: "create tells of damage that only shows when a Community dump is decompressed",
  ignore,
  async fn() {
    await using bench = await Workbench.create();
    const damaged = DUMPS.community.slice();
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1;
    const deployment = new ScriptedDeployment({ neo4j: damaged });
    const { code, out, err } = await bench.run(["create", ...JSON_LOG], { deployment });
    assertEquals(code, 1, err);
    assertStringIncludes(JSON.parse(out).error, "the Neo4j dump cannot be decompressed");
    assertEquals(deployment.down, []);
    const components = (await bench.groups()).flatMap(({ snapshots }) => snapshots)
      .map(({ component }) => component);
    assertEquals(components.includes("neo4j"), false);
  },
});
