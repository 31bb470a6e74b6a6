import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  CacheNotEmptiedError,
  emptyCache,
  flushCommand,
  removeStaleLocks,
} from "../../../../src/infrahub/deployment/cache.ts";
import type { CacheAccess } from "../../../../src/infrahub/deployment/cache_access.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { type Answer, failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const FULL = "# Keyspace\r\ndb0:keys=120,expires=3,avg_ttl=9\r\ndb2:keys=11,expires=0";
const EMPTY = "# Keyspace";
const ACCESS: CacheAccess = { database: 0 };
const NO_PROGRAM = failure(["redis-cli"], 127, "redis-cli: not found");

/** A cache that answers so; an answer that is not given is a good one. */
function setUp(
  answers: Partial<Record<"INFO" | "FLUSH" | "SAVE" | "EVAL", readonly Answer[]>>,
  kind: "docker" | "host" = "docker",
) {
  const environment = new FakeEnvironment(kind);
  const good = { INFO: [FULL, EMPTY], FLUSH: ["OK"], SAVE: ["OK"], EVAL: ["0 0"] };
  for (const [command, given] of Object.entries({ ...good, ...answers })) {
    environment.on("cache", command, ...given);
  }
  return { environment, ...fakeDeployment(environment) };
}

Deno.test("emptyCache() has Redis forget all databases, saves, looks, and tells how many keys", async () => {
  const { environment, deployment, lines } = setUp({});
  assertEquals(await emptyCache(deployment, ACCESS), 131);
  assertEquals(environment.log, [
    "cache: redis-cli INFO keyspace",
    "cache: redis-cli FLUSHALL",
    "cache: redis-cli SAVE",
    "cache: redis-cli INFO keyspace",
  ]);
  assertEquals(lines, ["info Emptied the cache: 131 keys removed, none left"]);
});

Deno.test("emptyCache() gets in as Infrahub does, with no password on a command line", async (t) => {
  const access: CacheAccess = {
    address: "redis.example",
    port: 6380,
    database: 2,
    username: "infrahub",
    password: new Secret("hush"),
    tls: { isChecked: true, caFile: "/ca.pem" },
  };
  const rows: readonly ["docker" | "host", CacheAccess, string][] = [
    ["docker", access, "redis-cli -p 6380 --user infrahub --tls --insecure FLUSHALL"],
    [
      "host",
      access,
      "redis-cli -h redis.example -p 6380 --user infrahub --tls --cacert /ca.pem -n 2 FLUSHDB",
    ],
    [
      "host",
      { address: "redis.example", database: 0, tls: { isChecked: false } },
      "redis-cli -h redis.example --tls --insecure -n 0 FLUSHDB",
    ],
  ];
  for (const [kind, given, command] of rows) {
    await t.step(command, async () => {
      const { environment, deployment } = setUp({}, kind);
      await emptyCache(deployment, given);
      assertEquals(environment.find("FLUSH").command, command);
      assertEquals(flushCommand(deployment, given), command);
      const secrets = environment.calls.map((call) => call.secrets.REDISCLI_AUTH);
      assertEquals(secrets, Array(4).fill(given.password?.reveal()));
      assertEquals(environment.log.filter((line) => line.includes("hush")), []);
    });
  }
});

Deno.test("emptyCache() counts Infrahub's own database alone on a host, and saves beside", async () => {
  const { environment, deployment } = setUp({ INFO: [FULL, "# Keyspace\r\ndb0:keys=120"] }, "host");
  assertEquals(await emptyCache(deployment, { address: "127.0.0.1", database: 2 }), 11);
  assertEquals(environment.find("SAVE").command, "redis-cli -h 127.0.0.1 BGSAVE");
});

Deno.test("emptyCache() says that it has not emptied it", async (t) => {
  const rows: readonly [string, Parameters<typeof setUp>[0], CacheAccess, string][] = [
    ["no program", { INFO: [NO_PROGRAM] }, ACCESS, "redis-cli: not found"],
    // redis-cli exits with 0 then.
    ["no password", { INFO: ["NOAUTH Authentication required."] }, ACCESS, "NOAUTH"],
    ["not allowed", { FLUSH: ["NOPERM this user has no permissions"] }, ACCESS, "NOPERM"],
    [
      "still in use",
      { INFO: [FULL, "# Keyspace\r\ndb0:keys=1"] },
      ACCESS,
      "1 keys are in it again",
    ],
    ["another program", {}, { database: 0, otherDriver: "nats" }, "it is kept by nats"],
  ];
  for (const [name, answers, access, message] of rows) {
    await t.step(name, async () => {
      const { deployment, lines } = setUp(answers);
      const error = await assertRejects(() => emptyCache(deployment, access), CacheNotEmptiedError);
      assertStringIncludes(error.message, "the cache has not been emptied: ");
      assertStringIncludes(error.message, message);
      assertEquals(lines, []);
    });
  }
});

Deno.test("emptyCache() only warns when an empty memory cannot be saved", async () => {
  const { deployment, lines } = setUp({ SAVE: ["ERR disk is read-only"] });
  await emptyCache(deployment, ACCESS);
  assertEquals(lines.map((line) => line.slice(0, 30)), [
    "warn The cache is empty, and c",
    "info Emptied the cache: 131 ke",
  ]);
});

Deno.test("removeStaleLocks() waits for workers that have just been stopped, not for ever", async () => {
  const brief = setUp({ EVAL: ["1 1", "0 1", "1 0"] });
  await removeStaleLocks(brief.deployment, { database: 3 });
  assertStringIncludes(brief.environment.log[0] ?? "", "cache: redis-cli -n 3 EVAL ");
  assertEquals(brief.clock.now(), 2_000);
  assertEquals(brief.lines, ["info Removed 2 locks of stopped workers from the cache"]);

  const alive = setUp({ EVAL: ["0 1"] });
  await removeStaleLocks(alive.deployment, ACCESS);
  assertEquals(alive.clock.now(), 16_000);
  assertEquals(alive.lines[0], "info 1 locks are left in the cache: their workers still run");
});

Deno.test("removeStaleLocks() only warns, and looks at no Redis that may be somebody else's", async () => {
  for (const answer of [NO_PROGRAM, "NOAUTH Authentication required."]) {
    const { deployment, lines } = setUp({ EVAL: [answer] });
    await removeStaleLocks(deployment, ACCESS);
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0] ?? "", "warn Could not look for locks");
  }
  const host = setUp({}, "host");
  await removeStaleLocks(host.deployment, ACCESS);
  assertEquals(host.environment.calls, []);
});
