/** `create --s3-upload` of a deployment that is played, to a server that is real. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { S3Bucket } from "../../src/s3/mod.ts";
import { ScriptedDeployment, Workbench } from "../unit/cli/_deployment.ts";
import { FaultProxy } from "./fault_proxy.ts";
import { credentialsInProcess, SECRET, startServer } from "./servers.ts";

const server = await startServer("minio");

const UPLOAD = ["create", "--force", "--s3-upload", "--s3-bucket", "archives"];

async function keys(): Promise<string[]> {
  const bucket = bucketAt(server.endpoint);
  return (await Array.fromAsync(bucket.objects.list("", ""))).map(({ key }) => key);
}

function bucketAt(endpoint: string): S3Bucket {
  return new S3Bucket({ bucket: "archives", prefix: "", location: "", endpoint });
}

Deno.test("create --s3-upload uploads, and removes the archive here unless it is kept", async () => {
  using _credentials = credentialsInProcess(server);
  await bucketAt(server.endpoint).create("");
  await using bench = await Workbench.create();
  const endpoint = ["--s3-endpoint", server.endpoint, "--s3-prefix", "prod"];
  const json = ["--log-format", "json"];
  const first = await bench.run([...UPLOAD, ...endpoint, ...json], { backend: "tarball" });
  assertEquals(first.code, 0, first.err);
  const { uploaded_to: uri, kept_local: kept } = JSON.parse(first.out);
  assertEquals(await keys(), [uri.slice("s3://archives/".length)]);
  assertEquals(kept, false);
  assertStringIncludes(uri, "s3://archives/prod/infrahub_backup_");
  assertEquals(await bench.archives(), []);

  const later = new Date("2026-03-18T15:30:00Z");
  const second = await bench.run([...UPLOAD, ...endpoint, "--s3-keep-local"], {
    backend: "tarball",
    now: later,
  });
  assertEquals(second.code, 0, second.err);
  assertEquals((await bench.archives()).length, 1);
  assertEquals((await keys()).length, 2);

  // What was uploaded can be restored from there.
  const restored = await bench.run(["restore", uri, ...endpoint], { backend: "tarball" });
  assertEquals(restored.code, 0, restored.err);
  assertEquals((await bench.archives()).length, 1);
  for (const { out, err } of [first, second, restored]) {
    assert(!(out + err).includes(SECRET), out + err);
    assert(!(out + err).includes(server.accessKeyId), out + err);
  }
});

Deno.test("create --s3-upload touches nothing where an upload could not go well", async () => {
  using _credentials = credentialsInProcess(server);
  await using bench = await Workbench.create();
  const endpoint = ["--s3-endpoint", server.endpoint];
  const deployment = new ScriptedDeployment();
  const { code, err } = await bench.run(
    ["create", "--force", "--s3-upload", "--s3-bucket", "mistyped", ...endpoint],
    { backend: "tarball", deployment },
  );
  assertEquals(code, 1);
  assertStringIncludes(err, 'bucket "mistyped" does not exist');
  assertEquals([deployment.story, await bench.archives()], [[], []]);
});

Deno.test("create --s3-upload that fails leaves the archive here and says how to go on", async () => {
  using _credentials = credentialsInProcess(server);
  await using proxy = new FaultProxy(server.host);
  proxy.setPlan((_, line) => line.startsWith("PUT") ? "denied" : undefined);
  await using bench = await Workbench.create();
  const endpoint = ["--s3-endpoint", `http://${proxy.host}`];
  const failed = await bench.run([...UPLOAD, ...endpoint, "--log-format", "json"], {
    backend: "tarball",
    now: new Date("2026-03-18T16:30:00Z"),
  });
  assertEquals(failed.code, 1);
  const [archive] = await bench.archives();
  const path = `${bench.root}/archives/${archive}`;
  const { error, path: told } = JSON.parse(failed.out);
  assertEquals(told, path);
  assertStringIncludes(error, "backup created locally but S3 upload failed");
  assertStringIncludes(error, `"upload ${path}" goes on with it`);
  assertEquals(failed.deployment.down, []);
  proxy.setPlan();
  const again = await bench.run(["upload", path, "--s3-bucket", "archives", ...endpoint], {
    backend: "tarball",
  });
  assertEquals(again.code, 0, again.err);
  assert((await keys()).includes(archive!));
});

Deno.test("create --s3-upload with a key that may only write succeeds, and says what it could not see", async () => {
  using _credentials = credentialsInProcess(server);
  await using proxy = new FaultProxy(server.host);
  proxy.setPlan((_, line) => line.startsWith("PUT") ? undefined : "denied");
  await using bench = await Workbench.create();
  const { code, out, err } = await bench.run(
    [...UPLOAD, "--s3-endpoint", `http://${proxy.host}`],
    { backend: "tarball", now: new Date("2026-03-18T17:30:00Z") },
  );
  assertEquals(code, 0, err);
  assertStringIncludes(err, "could not be looked at, as the key may only write");
  // The result names the object alone: the file is not here any more.
  assertEquals(await bench.archives(), []);
  const [, uri = ""] = out.trim().split("\n");
  assert(uri.startsWith("s3://archives/"), out);
  assertEquals(out.includes(bench.root), false);
  assert((await keys()).includes(uri.slice("s3://archives/".length)));
});

Deno.test("create --s3-upload --s3-keep-local makes the archive here while S3 is away, and fails", async () => {
  using _credentials = credentialsInProcess(server);
  await using bench = await Workbench.create();
  const endpoint = ["--s3-endpoint", server.endpoint];
  const { code, err, deployment } = await bench.run(
    ["create", "--force", "--s3-upload", "--s3-keep-local", "--s3-bucket", "mistyped", ...endpoint],
    { backend: "tarball" },
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "the archive is made here all the same");
  assertStringIncludes(err, "backup created locally but S3 upload failed");
  assertEquals([deployment.down, (await bench.archives()).length], [[], 1]);
});
