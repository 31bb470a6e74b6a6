/**
 * The cache's emptying at a real Redis, as one in a container has it and as one on a host has it: with
 * a user and a password, TLS and several databases, over a restart.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Host } from "../../src/environment/mod.ts";
import {
  CacheNotEmptiedError,
  emptyCache,
  removeStaleLocks,
} from "../../src/infrahub/deployment/cache.ts";
import type { CacheAccess } from "../../src/infrahub/deployment/cache_access.ts";
import type { Deployment } from "../../src/infrahub/deployment/mod.ts";
import { systemClock } from "../../src/infrahub/mod.ts";
import { Secret } from "../../src/infrahub/secret.ts";
import { run } from "../../scripts/e2e/stack.ts";
import { installPackages } from "../../scripts/e2e/programs.ts";
import { waitUntil } from "../e2e/deployment.ts";

const USER = "infrahub";
const PASSWORD = "a b'\"$#:1";

/** A Redis on a port of this machine, whose data outlives a restart. */
class Redis implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  #process: Deno.ChildProcess;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.#process = this.#spawn();
  }

  static async start(): Promise<Redis> {
    await installPackages({ "redis-server": "redis-server", "redis-cli": "redis-tools" });
    const folder = await Deno.makeTempDir();
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const files = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/ca.pem`];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, ...files]);
    await Deno.writeTextFile(
      `${folder}/users.acl`,
      `user default off\nuser ${USER} on #${await sha256(PASSWORD)} ~* &* +@all\n`,
    );
    const redis = new Redis(folder, freePort());
    await redis.#ready();
    return redis;
  }

  /** Ends it as a service manager does, and starts it on what it has left on its disk. */
  async restart(): Promise<void> {
    await this.#end();
    this.#process = this.#spawn();
    await this.#ready();
  }

  /** Asks it as its users do. */
  async ask(...command: readonly string[]): Promise<string> {
    const args = ["-h", "localhost", "-p", `${this.port}`, "--tls", "--cacert", this.#certificate];
    const env = { REDISCLI_AUTH: PASSWORD };
    return (await run("redis-cli", [...args, "--user", USER, ...command], { env })).trim();
  }

  get access(): CacheAccess {
    return {
      address: "localhost",
      port: this.port,
      database: 1,
      username: USER,
      password: new Secret(PASSWORD),
      tls: { isChecked: true, caFile: this.#certificate },
    };
  }

  get #certificate(): string {
    return `${this.folder}/ca.pem`;
  }

  #spawn(): Deno.ChildProcess {
    const { folder, port } = this;
    return new Deno.Command("redis-server", {
      args: [
        ...["--bind", "127.0.0.1", "--port", "0", "--tls-port", `${port}`, "--dir", folder],
        ...["--tls-cert-file", `${folder}/ca.pem`, "--tls-key-file", `${folder}/key.pem`],
        ...["--tls-auth-clients", "no", "--aclfile", `${folder}/users.acl`],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async #ready(): Promise<void> {
    await waitUntil("Redis", async () => await this.ask("PING").catch(() => "") === "PONG", 60_000);
  }

  async #end(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** This machine, where `redis-cli` is run, as if it was `kind`. */
function deploymentOf(kind: Deployment["environment"]["kind"]): Deployment {
  const host = new Host();
  const environment = new Proxy(host, {
    get: (target, name) => {
      if (name === "kind") return kind;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const quiet = () => {};
  return {
    environment,
    reporter: { debug: quiet, info: quiet, warn: quiet },
    clock: systemClock,
    signal: new AbortController().signal,
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("a real Redis is empty, in its memory and on its disk, and stays so over a restart", async () => {
  await using redis = await Redis.start();
  for (const database of ["0", "1", "2"]) await redis.ask("-n", database, "SET", "stale", "yes");
  await redis.ask("SAVE");
  assertEquals(await emptyCache(deploymentOf("docker"), redis.access), 3);
  assertEquals(await redis.ask("INFO", "keyspace"), "# Keyspace");
  await redis.restart();
  assertEquals(await redis.ask("INFO", "keyspace"), "# Keyspace");
});

Deno.test("of a Redis on a host, Infrahub's own database alone is emptied", async () => {
  await using redis = await Redis.start();
  for (const database of ["0", "1", "2"]) await redis.ask("-n", database, "SET", "key", "yes");
  assertEquals(await emptyCache(deploymentOf("host"), redis.access), 1);
  assertEquals([...(await redis.ask("INFO", "keyspace")).matchAll(/^db\d/gm)].flat(), [
    "db0",
    "db2",
  ]);
  await assertRejects(
    () => emptyCache(deploymentOf("host"), { ...redis.access, password: new Secret("another") }),
    CacheNotEmptiedError,
    "NOAUTH",
  );
  assert((await redis.ask("INFO", "keyspace")).includes("db0:"));
});

Deno.test("locks of workers that are gone are removed, those of others and other keys are not", async () => {
  await using redis = await Redis.start();
  const set = async (key: string, ...value: readonly string[]) => {
    await redis.ask("-n", "1", "SET", key, ...value);
  };
  const time = "2026-11-30T08:20:39Z";
  await set("lock.global.schema", `${time}::gone`);
  await set("lock.repo.a b'c", `${time}::gone`, "EX", "900");
  await set("lock.global.graph", `${time}::alive`);
  await set("lock.local.unknown", "of something else");
  await set("workers:active:git_agent:worker:alive", time);
  // One whose last sign of life is about to expire: it has just been stopped.
  await set("lock.global.taskmgr.init", `${time}::stopped`);
  await set("workers:active:api_server:worker:stopped", time, "EX", "3");
  await redis.ask("-n", "0", "SET", "lock.other", `${time}::gone`);
  await removeStaleLocks(deploymentOf("docker"), redis.access);
  const left = (await redis.ask("-n", "1", "--scan")).split("\n").toSorted();
  assertEquals(left, [
    "lock.global.graph",
    "lock.local.unknown",
    "workers:active:git_agent:worker:alive",
  ]);
  assertEquals(await redis.ask("-n", "0", "--scan"), "lock.other");
});
