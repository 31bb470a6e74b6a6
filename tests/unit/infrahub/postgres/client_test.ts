import { assertEquals } from "@std/assert";
import {
  clientOptions,
  describedClient,
  isBeside,
  socketClient,
} from "../../../../src/infrahub/postgres/client.ts";
import { LIBPQ_VARIABLES } from "../../../../src/infrahub/postgres/server_variables.ts";
import { postgresServer } from "./_server.ts";
import { FakeEnvironment } from "../fake_environment.ts";

const on = (kind: "docker" | "kubernetes" | "host") => ({ environment: new FakeEnvironment(kind) });
const tls = { sslmode: "verify-full", sslrootcert: "/ca" };
const remote = postgresServer({
  endpoints: [{ host: "h1", port: "7" }, { host: "::1", port: "" }],
  parameters: tls,
});

Deno.test("describedClient() goes where the description says, and in containers to localhost", () => {
  const { arguments: args, parameters } = describedClient(on("host"), remote);
  assertEquals(args, ["-h", "h1,::1", "-p", "7,", "-U", "prefect"]);
  assertEquals(parameters, tls);
  const inside = describedClient(on("docker"), remote);
  assertEquals([inside.arguments, inside.parameters], [["-h", "localhost", "-U", "prefect"], {}]);
  const other = postgresServer({ endpoints: [{ host: "task-manager-db", port: "7" }] });
  assertEquals(describedClient(on("docker"), other).arguments, [
    "-h",
    "localhost",
    "-p",
    "7",
    "-U",
    "prefect",
  ]);
  const { username: _, ...nobody } = postgresServer({ endpoints: [{ host: "", port: "" }] });
  assertEquals(describedClient(on("host"), nobody).arguments, []);
});

Deno.test("socketClient() is somebody of the operating system, with a password only in containers", () => {
  const folder = postgresServer({ endpoints: [{ host: "/run/pg", port: "7" }] });
  const host = socketClient(on("host"), folder);
  assertEquals([host.arguments, host.password, host.user], [
    ["-h", "/run/pg", "-p", "7"],
    undefined,
    undefined,
  ]);
  assertEquals(socketClient(on("docker"), folder).user, "prefect");
  assertEquals(socketClient(on("kubernetes"), folder).user, undefined);
});

Deno.test("clientOptions() lets programs inherit no variable of libpq's", () => {
  const { unset, secrets } = clientOptions(describedClient(on("host"), remote));
  assertEquals(unset, LIBPQ_VARIABLES);
  assertEquals(secrets, { PGPASSWORD: "hush" });
  for (const name of ["PGHOST", "PGHOSTADDR", "PGUSER", "PGSERVICE", "PGOPTIONS", "PGSSLMODE"]) {
    assertEquals(LIBPQ_VARIABLES.includes(name), true, name);
  }
});

Deno.test("isBeside() knows a pod's localhost for a proxy", () => {
  const local = postgresServer({ endpoints: [{ host: "localhost", port: "" }] });
  assertEquals(isBeside(on("docker"), local), true);
  assertEquals(isBeside(on("kubernetes"), local), false);
  assertEquals(isBeside(on("kubernetes"), { ...local, isOfTaskManager: false }), true);
  assertEquals(isBeside(on("docker"), remote), false);
});
