/**
 * The program as users run it, in a process of its own with scoped permissions, or the executable
 * that `INFRAHUB_BACKUP_BINARY` names: repositories and archives in S3, by every way of giving
 * credentials. All that it prints is kept, and searched for secrets.
 *
 * @module
 */

import { neo4jDump } from "../fixtures/small_dumps.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findTool } from "../../scripts/tool.ts";
import { S3Bucket, S3RequestError } from "../../src/s3/mod.ts";
import { parseLines, parseSnapshotsList } from "../cli/_json_lines.ts";
import { noise } from "../faults/backups.ts";
import { TemporaryDirectory } from "../faults/temporary_directory.ts";
import { type S3Server, SECRET, startServer } from "./servers.ts";

const servers = [await startServer("minio"), await startServer("versitygw")];

const PASSPHRASE = "only these tests say this";

/** What only these tests may see: the secret, as it is and as it stands in a URL. */
const FORBIDDEN = [
  SECRET,
  encodeURIComponent(SECRET),
  "AKminioTest",
  "AKversityTest",
  PASSPHRASE,
];

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs of the program, with a home of their own and dumps to back up. */
class Bench implements AsyncDisposable {
  readonly folder: TemporaryDirectory;
  readonly #printed: string[] = [];

  private constructor(folder: TemporaryDirectory) {
    this.folder = folder;
  }

  static async make(): Promise<Bench> {
    const folder = await TemporaryDirectory.make();
    await Deno.mkdir(folder.at("home/.aws"), { recursive: true });
    await Deno.writeFile(folder.at("neo4j.dump"), noise(3_000_000, 1));
    await Deno.writeFile(folder.at("prefect.dump"), noise(500_000, 2));
    return new Bench(folder);
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const tool = findTool();
    const [program, ...first] = tool.argv;
    const isAws = (name: string) => name.startsWith("AWS_");
    const inherited = Object.entries(tool.env).filter(([name]) => !isAws(name) && name !== "HOME");
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...first, ...args],
      clearEnv: true,
      env: {
        ...Object.fromEntries(inherited),
        // Deno's own cache is found without the real home.
        ...(tool.env.DENO_DIR || !tool.env.HOME
          ? {}
          : { DENO_DIR: `${tool.env.XDG_CACHE_HOME || `${tool.env.HOME}/.cache`}/deno` }),
        HOME: this.folder.at("home"),
        INFRAHUB_CACHE_DIR: this.folder.at("cache"),
        INFRAHUB_BACKUP_DIR: this.folder.at("archives"),
        AWS_EC2_METADATA_DISABLED: "true",
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const outcome = { code, out: text(stdout), err: text(stderr) };
    this.#printed.push(outcome.out, outcome.err);
    if (args.join(" ").includes("--log-format json")) {
      parseLines(outcome.err);
      if (args.includes("list") && code === 0) parseSnapshotsList(outcome.out);
      else parseLines(outcome.out);
    }
    return outcome;
  }

  async succeed(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const outcome = await this.run(args, env);
    assertEquals(outcome.code, 0, `${args.join(" ")}: ${outcome.err}`);
    return outcome;
  }

  async fail(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const outcome = await this.run(args, env);
    assertEquals(outcome.code, 1, outcome.out + outcome.err);
    return outcome.err;
  }

  /** Nothing that was printed, and no file but those of the home, holds a secret. */
  async assertNoSecrets(): Promise<void> {
    for (const text of this.#printed) {
      for (const secret of FORBIDDEN) assert(!text.includes(secret), text);
    }
    for (const path of await this.folder.files()) {
      if (/^home\/(?:\.aws|passphrase)|\.dump$/.test(path)) continue;
      const text = new TextDecoder("latin1").decode(await Deno.readFile(this.folder.at(path)));
      for (const secret of FORBIDDEN) assert(!text.includes(secret), path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

function keysOf(server: S3Server): Record<string, string> {
  return { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey };
}

const PLAKAR = { INFRAHUB_BACKEND: "plakar" };

function bucketOf(server: S3Server, bucket: string): S3Bucket {
  return new S3Bucket({
    bucket,
    prefix: "",
    endpoint: server.endpoint,
    location: "",
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: SECRET },
  }, { env: () => undefined });
}

/** Keys and ETags of all that is in a bucket; none when there is no bucket. */
async function objects(server: S3Server, bucket: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { key, etag } of bucketOf(server, bucket).objects.list("", "")) {
      found.push(`${key} ${etag}`);
    }
  } catch (error) {
    if (!(error instanceof S3RequestError && error.kind === "no-bucket")) throw error;
  }
  return found;
}

for (const server of servers) {
  Deno.test(`a repository in ${server.name} is backed up to, listed, checked and restored`, async () => {
    await using bench = await Bench.make();
    const { folder } = bench;
    const profile = "[ops]\naws_access_key_id = " + server.accessKeyId +
      `\naws_secret_access_key = ${SECRET}\n`;
    await Deno.writeTextFile(folder.at("home/.aws/credentials"), profile);
    const repo = `s3://${server.host}/cli-repo/deep/prefix`;
    // Each way to say who one is and where the service is.
    const ways: Record<string, string>[] = [
      { INFRAHUB_REPO: server.at("cli-repo/deep/prefix") },
      { INFRAHUB_REPO: repo, INFRAHUB_S3_ENDPOINT: server.endpoint, ...keysOf(server) },
      {
        INFRAHUB_REPO: "s3://cli-repo/deep/prefix/",
        AWS_ENDPOINT_URL_S3: server.endpoint,
        AWS_PROFILE: "ops",
      },
    ];
    const create = [
      "create",
      "from-files",
      "--format=raw",
      "--neo4j-path",
      folder.at("neo4j.dump"),
    ];
    for (const [index, way] of ways.entries()) {
      const env = { ...PLAKAR, ...way };
      const format = ["--log-format", index === 1 ? "json" : "text", "--log-level", "debug"];
      const postgres = ["--postgres-path", folder.at("prefect.dump")];
      const { err } = await bench.succeed([...create, ...postgres, ...format], env);
      assertEquals(err.includes("does not exist: creating it"), index === 0);
      await bench.succeed(["snapshots", "list", ...format], env);
      const { out } = await bench.succeed(["snapshots", "list", "--log-format", "json"], env);
      assertEquals(JSON.parse(out).length, index + 1);
      const to = folder.at(`restored-${index}`);
      await bench.succeed(["restore", "--to", to, ...format], env);
      const files = (await folder.files(`restored-${index}`)).join();
      assertStringIncludes(files, "prefect.dump");
      const [prefect] = (await folder.files(`restored-${index}`)).filter((path) =>
        path.endsWith("prefect.dump")
      );
      assertEquals(
        await Deno.readFile(folder.at(`restored-${index}/${prefect}`)),
        await Deno.readFile(folder.at("prefect.dump")),
      );
    }
    const { out } = await bench.succeed(["snapshots", "check"], { ...PLAKAR, ...ways[0]! });
    assertStringIncludes(out, "no damage found");
    const [group] = JSON.parse(
      (await bench.succeed(["snapshots", "list", "--log-format", "json"], {
        ...PLAKAR,
        ...ways[0]!,
      })).out,
    );
    await bench.succeed(
      ["snapshots", "show", group.snapshots[0].snapshot_id, "--log-format", "json"],
      { ...PLAKAR, ...ways[0]! },
    );

    // What goes wrong says so once, and nothing more than that.
    const wrong = server.at("cli-repo/deep/prefix").replace(
      encodeURIComponent(SECRET),
      encodeURIComponent(`${SECRET}x`),
    );
    const failures: [Record<string, string>, RegExp][] = [
      [{ INFRAHUB_REPO: wrong }, /the secret key does not belong|access denied/],
      [{ INFRAHUB_REPO: server.at("cli-nowhere/x") }, /there is none/],
      [{ INFRAHUB_REPO: repo, INFRAHUB_S3_ENDPOINT: server.endpoint }, /no credentials for S3/],
      [{ INFRAHUB_REPO: server.at("x") }, /no bucket's name/],
    ];
    for (const [env, message] of failures) {
      for (const format of ["text", "json"]) {
        const args = ["restore", "--to", folder.at("no"), "--log-format", format];
        assertMatch(
          await bench.fail([...args, "--log-level", "debug"], { ...PLAKAR, ...env }),
          message,
        );
      }
    }
    await bench.assertNoSecrets();
  });

  Deno.test(`an encrypted repository in ${server.name} opens with its passphrase alone`, async () => {
    await using bench = await Bench.make();
    const { folder } = bench;
    await Deno.writeTextFile(folder.at("home/passphrase"), `${PASSPHRASE}\n`);
    await Deno.writeTextFile(folder.at("home/wrong"), "not the one that was chosen");
    const env = { ...PLAKAR, INFRAHUB_REPO: server.at("cli-encrypted/prod") };
    const create = [
      "create",
      "from-files",
      "--format=raw",
      "--neo4j-path",
      folder.at("neo4j.dump"),
    ];
    const file = ["--passphrase-file", folder.at("home/passphrase")];
    assertStringIncludes(await bench.fail([...create, "--encrypt"], env), "--passphrase-file");
    assertEquals(await objects(server, "cli-encrypted"), []);
    await bench.succeed([...create, "--encrypt", ...file, "--log-level", "debug"], env);
    await bench.succeed(create, { ...env, INFRAHUB_BACKUP_PASSPHRASE: PASSPHRASE });
    const stored = await objects(server, "cli-encrypted");

    const restore = ["restore", "--to", folder.at("no"), "--log-level", "debug"];
    for (const format of ["text", "json"]) {
      const args = [...restore, "--log-format", format];
      assertStringIncludes(await bench.fail(args, env), "it is encrypted");
      const wrong = ["--passphrase-file", folder.at("home/wrong")];
      assertStringIncludes(await bench.fail([...args, ...wrong], env), "passphrase");
      for (const passphrase of [[], wrong]) {
        await bench.fail([...create, ...passphrase, "--log-format", format], env);
      }
    }
    assertEquals(await objects(server, "cli-encrypted"), stored, "nothing is written");

    const { out } = await bench.succeed(["snapshots", "list", ...file], env);
    assertStringIncludes(out, "complete");
    await bench.succeed(["snapshots", "check", ...file], env);
    await bench.succeed(["restore", "--to", folder.at("back"), ...file], env);
    const [path] = (await folder.files("back")).filter((one) => one.endsWith("neo4j.dump"));
    assertEquals(
      await Deno.readFile(folder.at(`back/${path}`)),
      await Deno.readFile(folder.at("neo4j.dump")),
    );
    await bench.assertNoSecrets();
  });

  Deno.test(`archives go to ${server.name} and come back`, async () => {
    await using bench = await Bench.make();
    const { folder } = bench;
    await Deno.writeFile(folder.at("neo4j.dump"), neo4jDump(noise(40_000_000, 4)));
    const create = [
      "create",
      "from-files",
      "--neo4j-path",
      folder.at("neo4j.dump"),
    ];
    await bench.succeed([...create, "--backend", "tarball"]);
    const [name] = await folder.files("archives");
    assert(name !== undefined);
    const path = folder.at(`archives/${name}`);
    const { size } = await Deno.stat(path);
    const env = {
      ...keysOf(server),
      INFRAHUB_S3_BUCKET: "cli-archives",
      INFRAHUB_S3_PREFIX: "prod/",
      INFRAHUB_S3_ENDPOINT: server.endpoint,
    };
    assertStringIncludes(await bench.fail(["upload", path], env), '"cli-archives" does not exist');
    const bucket = bucketOf(server, "cli-archives");
    await bucket.create("");

    // An earlier upload has ended after its first part.
    const key = `prod/${name}`;
    const bytes = await Deno.readFile(path);
    const upload = await bucket.uploads.start("", key);
    await bucket.uploads.sendPart("", upload, 1, bytes.subarray(0, 16 * 1024 * 1024));
    const uploaded = await bench.succeed(["upload", path], env);
    assertStringIncludes(uploaded.err, "Resuming an earlier upload");
    assertStringIncludes(uploaded.out, `s3://cli-archives/${key}`);
    assertEquals(await bucket.objects.get("", key), bytes);
    for await (const upload of bucket.uploads.list("", key)) throw new Error(upload.uploadId);

    // Again is fine; another archive of that name is not touched.
    await bench.succeed(["upload", path, "--log-format", "json"], env);
    bytes[size - 1]! ^= 1;
    await Deno.writeFile(path, bytes);
    assertStringIncludes(await bench.fail(["upload", path], env), "another archive of that name");
    bytes[size - 1]! ^= 1;
    await Deno.writeFile(path, new TextEncoder().encode("mine"));
    await bench.fail(["upload", path], env);
    assertEquals(await bucket.objects.get("", key), bytes);

    // A file of the same name here is nobody else's to overwrite.
    const uri = `s3://cli-archives/${key}`;
    await bench.succeed(["restore", uri, "--to", folder.at("back")], env);
    assertEquals(await Deno.readTextFile(path), "mine");
    assertEquals(
      await Deno.readFile(folder.at("back/backup/database/neo4j.dump")),
      await Deno.readFile(folder.at("neo4j.dump")),
    );
    assertEquals(await folder.files("archives"), [name]);
    const missing = await bench.fail(["restore", `${uri}x`, "--to", folder.at("no")], env);
    assertStringIncludes(missing, `backup file not found: ${uri}x`);
    assertEquals(await folder.files("archives"), [name]);
    await bench.assertNoSecrets();
  });

  Deno.test(`repo validate proves ${server.name}, and leaves nothing there`, async () => {
    await using bench = await Bench.make();
    const env = { INFRAHUB_REPO: server.at("cli-validate/place") };
    const { out } = await bench.succeed(["repo", "validate", "--log-format", "json"], env);
    const { ok, checks } = JSON.parse(out);
    assertEquals([ok, checks.length], [true, 9], out);
    for (const { verdict, detail } of checks) assertEquals(verdict, "ok", detail);
    await bench.succeed(["repo", "validate"], env);
    assertEquals(await objects(server, "cli-validate"), []);
    await bench.assertNoSecrets();
  });
}
