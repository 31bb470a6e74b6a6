import { assertEquals, assertRejects } from "@std/assert";
import type {
  RestorableDump,
  RestoreMaterial,
} from "../../../../src/infrahub/dump/restorable_dump.ts";
import { DamagedSnapshotError } from "../../../../src/infrahub/errors.ts";
import { verifyMaterial } from "../../../../src/infrahub/run/verify_material.ts";
import { recordingReporter } from "../_support.ts";

const DUMPS = new URL("../../../fixtures/dumps/", import.meta.url);

function dump(name: string, bytes: Uint8Array): RestorableDump {
  return { name, bytes: bytes.byteLength, copy: (write) => write(bytes) };
}

function verify(
  neo4j: RestorableDump | undefined,
  postgres: RestorableDump | undefined,
  signal = new AbortController().signal,
) {
  const reporter = recordingReporter();
  const material: RestoreMaterial = {
    backupId: "A",
    infrahubVersion: "1.2.0",
    neo4jEdition: "community",
    neo4j,
    postgres,
    isWhole: true,
  };
  return { reporter, done: verifyMaterial(material, reporter, signal) };
}

const NEO4J = dump("neo4j.dump", Deno.readFileSync(new URL("stream.zst", DUMPS)));
const POSTGRES_BYTES = Deno.readFileSync(new URL("postgres_15.dump", DUMPS));

Deno.test("verifyMaterial() reads every dump that is going to be restored", async () => {
  const { reporter, done } = verify(NEO4J, dump("prefect.dump", POSTGRES_BYTES));
  await done;
  assertEquals(reporter.lines.map((line) => line.split(" ").slice(0, 3).join(" ")), [
    "info Verifying neo4j.dump",
    "info Verifying prefect.dump",
  ]);
  await verify(undefined, undefined).done;
});

Deno.test("verifyMaterial() refuses a dump that is not whole, or cannot be read back", async () => {
  const rows: [RestorableDump, string][] = [
    [dump("prefect.dump", POSTGRES_BYTES.subarray(0, 5_000)), "is cut off inside"],
    [dump("prefect.dump", new Uint8Array()), "the PostgreSQL dump is empty"],
    [
      { ...NEO4J, name: "prefect.dump", copy: () => Promise.reject(new Error("a chunk is gone")) },
      "a chunk is gone",
    ],
  ];
  for (const [postgres, reason] of rows) {
    const { message } = await assertRejects(
      () => verify(NEO4J, postgres).done,
      DamagedSnapshotError,
      "cannot restore prefect.dump: ",
    );
    assertEquals([message.includes(reason), message.endsWith("; nothing has been changed")], [
      true,
      true,
    ]);
  }
});

Deno.test("verifyMaterial() of a run that was ended does not call the backup damaged", async () => {
  const controller = new AbortController();
  const copy = () => {
    controller.abort(new Error("SIGTERM"));
    return Promise.reject(new Error("read was cancelled"));
  };
  await assertRejects(
    () => verify({ ...NEO4J, copy }, undefined, controller.signal).done,
    Error,
    "SIGTERM",
  );
});
