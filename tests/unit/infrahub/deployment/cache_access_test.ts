import { assertEquals } from "@std/assert";
import { findCacheAccess } from "../../../../src/infrahub/deployment/cache_access.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

async function find(own: Record<string, string>, server: string | Error = "") {
  const environment = new FakeEnvironment().on("infrahub-server", "env", server);
  const { deployment, lines } = fakeDeployment(environment);
  const { password, ...found } = await findCacheAccess(deployment, (name) => own[name]);
  return { ...found, ...(password === undefined ? {} : { password: password.reveal() }), lines };
}

Deno.test("findCacheAccess() takes the own variables before those of the server", async () => {
  const server = [
    "INFRAHUB_CACHE_ADDRESS=cache",
    "INFRAHUB_CACHE_PORT=6380",
    "INFRAHUB_CACHE_DATABASE=2",
    "INFRAHUB_CACHE_USERNAME=infrahub",
    "INFRAHUB_CACHE_PASSWORD=a=b",
    "INFRAHUB_CACHE_TLS_ENABLED=true",
    "INFRAHUB_CACHE_TLS_CA_FILE=/ca.pem",
  ].join("\n");
  assertEquals(await find({ INFRAHUB_CACHE_PASSWORD: "own", INFRAHUB_CACHE_PORT: "" }, server), {
    address: "cache",
    port: 6380,
    database: 2,
    username: "infrahub",
    password: "own",
    tls: { isChecked: true, caFile: "/ca.pem" },
    lines: [],
  });
});

Deno.test("findCacheAccess() knows TLS that is not checked, a certificate in place, and another driver", async () => {
  const own = {
    INFRAHUB_CACHE_TLS_ENABLED: "1",
    INFRAHUB_CACHE_TLS_INSECURE: "True",
    INFRAHUB_CACHE_TLS_CA_FILE: "-----BEGIN CERTIFICATE-----\nx",
    INFRAHUB_CACHE_DRIVER: "nats",
  };
  assertEquals(await find(own), {
    database: 0,
    tls: { isChecked: false },
    otherDriver: "nats",
    lines: [],
  });
  assertEquals((await find({ INFRAHUB_CACHE_DRIVER: "redis" })).otherDriver, undefined);
});

Deno.test("findCacheAccess() goes without when the server is down", async () => {
  const { lines, ...found } = await find({}, failure(["env"], 1, "not running"));
  assertEquals(found, { database: 0 });
  assertEquals(lines.map((line) => line.split(" ")[0]), ["debug"]);
});
