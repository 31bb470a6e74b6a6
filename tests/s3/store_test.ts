/** How the S3 store finds its way to a server, and what it says when it cannot. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  createRepository,
  type EngineOptions,
  openRepository,
  S3Store,
  StoreError,
} from "../../src/kloset/mod.ts";
import type { S3Settings } from "../../src/s3/mod.ts";
import { assertSnapshot, backUp, noise, snapshotIds } from "../faults/backups.ts";
import { TemporaryDirectory } from "../faults/temporary_directory.ts";
import { FaultProxy } from "./fault_proxy.ts";
import { credentialsInProcess, SECRET, startServer } from "./servers.ts";

const server = await startServer("minio", { MINIO_SITE_REGION: "eu-test-7" });
const FILES = { "/a": noise(5000, 3) };

/** Nothing of the environment; one try, so that waiting for another would show. */
const ONCE: S3Settings = {
  env: () => undefined,
  retries: { attempts: 1, firstDelayMs: 0, maximumDelayMs: 0 },
};

const FAR_AWAY = { attempts: 10, firstDelayMs: 3_600_000, maximumDelayMs: 3_600_000 };

Deno.test("a bucket is found by its name at the endpoint of the variables", async () => {
  const location = "s3://by-name/prefix";
  const env = (name: string) => name === "AWS_ENDPOINT_URL_S3" ? server.endpoint : undefined;
  const userInfo = `s3://${server.accessKeyId}:${encodeURIComponent(SECRET)}@`;
  await new S3Store(`${userInfo}${server.host}/by-name/prefix`, ONCE).create(new Uint8Array(1));
  // Credentials come from the SDK's chain, which has none here.
  const error = await assertRejects(
    () => new S3Store(location, { ...ONCE, env }).presence(),
    StoreError,
  );
  assertStringIncludes(error.message, `Cannot open repository "${location}"`);
});

Deno.test("the region is the service's where nobody says one, and a wrong one is told", async () => {
  const location = server.at("regions/r");
  const store = new S3Store(location, ONCE);
  await store.create(new Uint8Array([7]));
  assertEquals(await store.readConfiguration(), new Uint8Array([7]));
  const right = new S3Store(location, { ...ONCE, region: "eu-test-7" });
  assertEquals(await right.presence(), "repository");
  for (
    const settings of [
      { region: "us-east-1" },
      { env: (name: string) => name === "AWS_REGION" ? "us-east-1" : undefined },
      { env: (name: string) => name === "AWS_DEFAULT_REGION" ? "us-east-1" : undefined },
    ]
  ) {
    const wrong = new S3Store(location, { ...ONCE, ...settings });
    for (const action of [() => wrong.presence(), () => wrong.size("lock", "0".repeat(64))]) {
      const error = await assertRejects(action, StoreError);
      assertStringIncludes(error.message, "set AWS_REGION=eu-test-7");
    }
  }
});

Deno.test("what cannot go well is told at once, by name, without the secret", async () => {
  const settings: S3Settings = { env: () => undefined, retries: FAR_AWAY };
  const { host, accessKeyId } = server;
  const rows: [location: string, message: string][] = [
    [`s3://${accessKeyId}:${SECRET.slice(1).replaceAll("/", "%2F")}@${host}/bkt`, "AWS_SECRET"],
    [`s3://AKnobody:${encodeURIComponent(SECRET)}@${host}/bkt`, "does not know this access key"],
    [server.at("no-such-bucket"), 'bucket "no-such-bucket" does not exist'],
  ];
  for (const [location, message] of rows) {
    const store = new S3Store(location, settings);
    const actions = [
      () => store.list("packfile"),
      () => store.put("lock", "0".repeat(64), new Uint8Array(1)),
      () => store.readAll("state", "0".repeat(64)),
    ];
    for (const action of actions) {
      const error = await assertRejects(action, StoreError);
      assertStringIncludes(error.message, message);
      const everything = Deno.inspect(error, { depth: 10, showHidden: true });
      for (const secret of [SECRET, SECRET.slice(1), encodeURIComponent(SECRET), "AKnobody"]) {
        assert(!everything.includes(secret), everything);
      }
    }
  }
});

Deno.test("HTTPS to a server that speaks plain HTTP says how to ask for that", async () => {
  const store = new S3Store(`s3://${server.host}/bkt`, {
    ...ONCE,
    retries: FAR_AWAY,
  });
  using _credentials = credentialsInProcess(server);
  const error = await assertRejects(() => store.presence(), StoreError);
  assertStringIncludes(error.message, `AWS_ENDPOINT_URL_S3=${server.endpoint}`);
});

Deno.test("a certificate is trusted when AWS_CA_BUNDLE names its authority", {
  // The client with the certificates lives as long as the process.
  sanitizeResources: false,
}, async () => {
  await using folder = await TemporaryDirectory.make();
  const root = new TextDecoder().decode(
    (await new Deno.Command("go", { args: ["env", "GOROOT"] }).output()).stdout,
  ).trim();
  const made = await new Deno.Command("go", {
    args: ["run", `${root}/src/crypto/tls/generate_cert.go`, "--host", "127.0.0.1"],
    cwd: folder.path,
  }).output();
  assert(made.success, new TextDecoder().decode(made.stderr));
  const bundle = folder.at("cert.pem");
  const secure = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(bundle),
    key: await Deno.readTextFile(folder.at("key.pem")),
  });
  const target = { hostname: "127.0.0.1", port: Number(server.host.split(":")[1]) };
  const work: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const client of secure) {
      const plain = await Deno.connect(target);
      work.push(
        client.readable.pipeTo(plain.writable).catch(() => {}), // either side ends it
        plain.readable.pipeTo(client.writable).catch(() => {}), // either side ends it
      );
    }
  })().catch((error) => {
    // The listener was closed, or a client went away amid the handshake.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  });
  const host = `127.0.0.1:${secure.addr.port}`;
  // The signature covers the host, so that the server has to believe that it is this one.
  const location = `s3://${server.accessKeyId}:${encodeURIComponent(SECRET)}@${host}/tls/p`;
  const settings = { ...ONCE, retries: FAR_AWAY, endpoint: `https://${host}` };
  const untrusted = new S3Store(location, settings);
  const error = await assertRejects(() => untrusted.presence(), StoreError);
  assertStringIncludes(error.message, "AWS_CA_BUNDLE");
  const trusting = new S3Store(location, {
    ...settings,
    env: (name) => name === "AWS_CA_BUNDLE" ? bundle : undefined,
  });
  assertEquals(await trusting.presence(), "absent");
  const missing = new S3Store(location, {
    ...settings,
    env: (name) => name === "AWS_CA_BUNDLE" ? folder.at("nothing.pem") : undefined,
  });
  const unread = await assertRejects(() => missing.presence(), StoreError);
  assertStringIncludes(unread.message, `AWS_CA_BUNDLE names: ${folder.at("nothing.pem")}`);
  secure.close();
  await accepting;
});

Deno.test("backups go on in a bucket where nothing can be deleted", async () => {
  await using proxy = new FaultProxy(server.host);
  const location = server.at("kept/forever").replace(server.host, proxy.host);
  const warnings: string[] = [];
  const options: EngineOptions = { jobs: 1, onWarning: (message) => warnings.push(message) };
  await (await createRepository(new S3Store(location, ONCE), options)).close();
  proxy.setPlan((_, line) => line.startsWith("DELETE") ? "denied" : undefined);
  const ids: string[] = [];
  for (let day = 0; day < 3; day++) {
    const now = () => Date.now() + day * 86_400_000;
    await using repository = await openRepository(new S3Store(location, ONCE), { ...options, now });
    ids.push(await backUp(repository, { ...FILES, [`/${day}`]: noise(2000, day) }));
  }
  assert(proxy.injected >= 3, `${proxy.injected} deletions`);
  assertEquals(warnings.filter((text) => text.startsWith("Cannot remove lock")).length, 3);
  assert(warnings.every((text) => /^Cannot remove (stale )?lock /.test(text)), warnings.join("\n"));
  await using repository = await openRepository(new S3Store(location, ONCE), options);
  assertEquals(await snapshotIds(repository), ids.sort());
});

Deno.test("an index in the cache leaves only new states to be read", async () => {
  await using proxy = new FaultProxy(server.host);
  await using folder = await TemporaryDirectory.make();
  const location = server.at("cached/index").replace(server.host, proxy.host);
  const options: EngineOptions = { jobs: 1, cacheDirectory: folder.at("cache") };
  const open = () => openRepository(new S3Store(location, ONCE), options);
  const statesRead = () => proxy.requests.filter((line) => /^GET \S*\/states\/\w\w\//.test(line));
  const ids: string[] = [];
  {
    await using repository = await createRepository(new S3Store(location, ONCE), options);
    for (let n = 0; n < 4; n++) ids.push(await backUp(repository, { "/n": noise(2000, n) }));
  }
  proxy.setPlan();
  {
    await using repository = await open();
    assertEquals(await snapshotIds(repository), ids.toSorted());
    assertEquals(statesRead(), []);
  }
  // Another writer, who knows nothing of this cache.
  {
    const other = new S3Store(location, ONCE);
    await using repository = await openRepository(other, { jobs: 1 });
    ids.push(await backUp(repository, { "/n": noise(2000, 99) }));
  }
  proxy.setPlan();
  {
    await using repository = await open();
    assertEquals(await snapshotIds(repository), ids.toSorted());
    assertEquals(statesRead().length, 1);
  }
  // Two at the same time share it; each is right, and so is who comes after them.
  const both = await Promise.all([1, 2].map(async (n) => {
    await using repository = await open();
    return await backUp(repository, { "/n": noise(2000, 200 + n) });
  }));
  ids.push(...both);
  // A state that has gone takes its snapshot with it, whatever the cache says.
  const store = new S3Store(location, ONCE);
  {
    await using repository = await open();
    assertEquals(await snapshotIds(repository), ids.toSorted());
    for (const id of ids) assertEquals(await (await repository.openSnapshot(id)).check(), []);
  }
  const before = await store.list("state");
  const bytes = await store.readAll("state", before[0]!);
  await store.delete("state", before[0]!);
  {
    await using repository = await open();
    assertEquals((await snapshotIds(repository)).length, ids.length - 1);
  }
  await store.put("state", before[0]!, bytes);
  {
    await using repository = await open();
    assertEquals(await snapshotIds(repository), ids.toSorted());
    await assertSnapshot(repository, ids[0]!, { "/n": noise(2000, 0) });
  }
  // Without the service, the cache alone is no repository.
  proxy.setPlan(() => "reset");
  await assertRejects(() => open(), StoreError, "no answer from");
});
