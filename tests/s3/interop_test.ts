/**
 * One bucket, two programs: repositories that plakar's S3 integration and we write in turn.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { installPeer } from "../../scripts/peers.ts";
import {
  createRepository,
  openRepository,
  type Repository,
  S3Store,
  StoreError,
  WrongPassphraseError,
} from "../../src/kloset/mod.ts";
import { S3Bucket } from "../../src/s3/mod.ts";
import { randomBytes } from "../interop/content.ts";
import { Plakar } from "../interop/plakar.ts";
import {
  digestOf,
  passphraseOption,
  sha256,
  store,
  streamOf,
  Workspace,
} from "../interop/workspace.ts";
import { type S3Server, startServer } from "./servers.ts";

/** Several chunks and, for both writers, several parts. */
const LARGE = randomBytes(23 * 1024 * 1024, 5);
const SMALL = new TextEncoder().encode("small\n".repeat(1000));

/** Tells plakar where the bucket is; its repositories are then `@NAME`. */
async function configure(
  plakar: Plakar,
  name: string,
  server: S3Server,
  place: string,
): Promise<string> {
  const { success, stderr } = await new Deno.Command(plakar.executable, {
    args: [
      "store",
      "add",
      name,
      `s3://${server.host}/${place}`,
      `access_key=${server.accessKeyId}`,
      `secret_access_key=${server.secretAccessKey}`,
      "use_tls=false",
    ],
    clearEnv: true,
    env: {
      HOME: plakar.home,
      PATH: "/usr/bin:/bin",
      XDG_CACHE_HOME: `${plakar.home}/cache`,
      XDG_CONFIG_HOME: `${plakar.home}/config`,
      XDG_DATA_HOME: `${plakar.home}/data`,
    },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return `@${name}`;
}

/** Of a repository that is encrypted, and of one that is not. */
const PASSPHRASES = [undefined, "correct horse battery staple, 2026"] as const;
type Passphrase = string | undefined;

async function make(server: S3Server, place: string, passphrase: Passphrase): Promise<void> {
  const options = { jobs: 1, encrypt: passphrase !== undefined, ...passphraseOption(passphrase) };
  await (await createRepository(new S3Store(server.at(place)), options)).close();
}

async function open(
  server: S3Server,
  place: string,
  passphrase: Passphrase,
): Promise<Repository> {
  const options = { jobs: 2, ...passphraseOption(passphrase) };
  return await openRepository(new S3Store(server.at(place)), options);
}

/** No content, whatever it is, stands in the bucket as it is. */
async function assertUnreadable(server: S3Server, name: string, place: string): Promise<void> {
  const bucket = new S3Bucket({
    bucket: name,
    prefix: "",
    endpoint: server.endpoint,
    location: "",
    credentials: server,
  }, { env: () => undefined });
  const plain = [SMALL.subarray(0, 60), LARGE.subarray(1000, 1032)].map(latin1);
  let objects = 0;
  for await (const { key } of bucket.objects.list("", place)) {
    const bytes = latin1(await bucket.objects.get("", key));
    for (const part of plain) assert(!bytes.includes(part), key);
    objects++;
  }
  assert(objects > 5);
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

async function digests(repository: Repository, id: string, path: string): Promise<string> {
  const snapshot = await repository.openSnapshot(id);
  assertEquals(await snapshot.check(), []);
  return (await digestOf(snapshot, path)).sha256;
}

/** Bucket and prefix. */
function split(place: string): [string, string] {
  const [bucket = "", ...prefix] = place.split("/");
  return [bucket, prefix.join("/")];
}

const CASES = (["minio", "versitygw"] as const).flatMap((name) =>
  PASSPHRASES.map((passphrase) => ({ name, passphrase }))
);

for (const { name, passphrase } of CASES) {
  const kind = passphrase === undefined ? "a repository" : "an encrypted repository";
  Deno.test(`plakar and we share ${kind} in ${name}`, async () => {
    const server = await startServer(name);
    await using plakar = await Plakar.start(await installPeer("plakar-s3"));
    await using workspace = await Workspace.make();
    try {
      // Created by either; a prefix of two parts for one, none for the other.
      const places = { plakars: "interop-plakar", ours: "interop-ours/deep/prefix" };
      const names = {
        plakars: await configure(plakar, "plakars", server, places.plakars),
        ours: await configure(plakar, "ours", server, places.ours),
      };
      await plakar.create(names.plakars, { passphrase });
      await make(server, places.ours, passphrase);
      if (passphrase !== undefined) plakar.setPassphrase(names.ours, passphrase);
      await Deno.writeFile(workspace.at("large.bin"), LARGE);
      for (const which of ["plakars", "ours"] as const) {
        const theirs = [await plakar.backup(names[which], workspace.at("large.bin"))];
        const ours: string[] = [];
        {
          await using repository = await open(server, places[which], passphrase);
          ours.push(await store(repository, "/small.txt", streamOf(SMALL)));
          ours.push(await store(repository, "/large.bin", streamOf(LARGE)));
        }
        theirs.push(await plakar.backupStream(names[which], "again.txt", SMALL));

        const listed = (await plakar.snapshots(names[which])).map(({ id }) => id);
        assertEquals(listed.sort(), [...theirs, ...ours].sort());
        await plakar.check(names[which]);
        assertEquals(await plakar.cat(names[which], ours[0]!, "/small.txt"), SMALL);
        const { sha256: catted } = await plakar.catDigest(names[which], ours[1]!, "/large.bin");
        assertEquals(catted, sha256(LARGE));

        await using repository = await open(server, places[which], passphrase);
        const { headers, unreadable } = await repository.snapshots();
        assertEquals(unreadable, []);
        assertEquals(headers.map(({ identifier }) => identifier).sort(), listed);
        const large = workspace.at("large.bin");
        assertEquals(await digests(repository, theirs[0]!, large), sha256(LARGE));
        assertEquals(await digests(repository, theirs[1]!, "/again.txt"), sha256(SMALL));
        assertEquals(await digests(repository, ours[1]!, "/large.bin"), sha256(LARGE));
      }
      if (passphrase !== undefined) {
        for (const which of ["plakars", "ours"] as const) {
          await assertRejects(
            () => open(server, places[which], "correct horse battery stable, 2026"),
            WrongPassphraseError,
          );
          await assertUnreadable(server, ...split(places[which]));
        }
      }
      // What one has made, the other does not make over.
      const again = await assertRejects(
        () => make(server, places.plakars, passphrase),
        StoreError,
      );
      assertStringIncludes(again.message, "not empty");
      await assertRejects(() => plakar.create(names.ours), Error, "already initialized");
      // What we list after its maintenance is what it lists.
      const [first] = await plakar.snapshots(names.ours);
      await plakar.remove(names.ours, first!.id);
      await plakar.maintenance(names.ours);
      await using repository = await open(server, places.ours, passphrase);
      const left = (await repository.snapshots()).headers.map(({ identifier }) => identifier);
      assertEquals(left.sort(), (await plakar.snapshots(names.ours)).map(({ id }) => id).sort());
      for (const id of left) assertEquals(await (await repository.openSnapshot(id)).check(), []);
    } finally {
      await server.stop();
    }
  });
}
