import { assertEquals, assertRejects } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import {
  ServiceEndedError,
  waitForService,
} from "../../../../src/infrahub/deployment/service_readiness.ts";
import { stopApplicationServices } from "../../../../src/infrahub/deployment/services.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

/** A deployment on a host whose services are told of by these variables. */
function host(variables: Readonly<Record<string, string>>) {
  const environment = new FakeEnvironment("host").on(
    "infrahub-server",
    /^env$/,
    Object.entries(variables).map(([name, value]) => `${name}=${value}`).join("\n"),
  );
  return { environment, ...fakeDeployment(environment) };
}

Deno.test("waitForService() goes by the platform's own check", async () => {
  const environment = new FakeEnvironment();
  environment.healths.set("task-manager", ["unhealthy", "unhealthy", "healthy"]);
  const { deployment, clock } = fakeDeployment(environment);
  await waitForService(deployment, "task-manager");
  assertEquals(clock.now(), 1_000);
  // Without a check, one that runs is all that is known.
  await waitForService(deployment, "cache");
  assertEquals(clock.now(), 1_000);
});

Deno.test("waitForService() says what is not ready in time", async () => {
  const environment = new FakeEnvironment();
  environment.healths.set("infrahub-server", Array(2000).fill("unhealthy"));
  await assertRejects(
    () => waitForService(fakeDeployment(environment).deployment, "infrahub-server"),
    DeploymentError,
    "infrahub-server did not become ready within 10m0s: its health check fails",
  );
});

Deno.test("waitForService() does not wait for a service that has ended", async () => {
  const environment = new FakeEnvironment();
  environment.statuses.set("infrahub-server", "stopped");
  const { deployment, clock } = fakeDeployment(environment);
  await assertRejects(
    () => waitForService(deployment, "infrahub-server"),
    ServiceEndedError,
    "infrahub-server has ended right after its start; see its log",
  );
  assertEquals(clock.now(), 1_000);
});

Deno.test("waitForService() asks a host's service where the variables say it is", async (t) => {
  let isReady = false;
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked.push(new URL(request.url).pathname);
    const response = new Response("", { status: isReady ? 200 : 503 });
    isReady = true;
    return response;
  });
  const base = `http://127.0.0.1:${server.addr.port}`;
  const rows = [
    ["infrahub-server", { INFRAHUB_ADDRESS: base }, ["/api/config", "/api/config"]],
    ["infrahub-server", { INFRAHUB_ADDRESS: "http://x", INFRAHUB_INTERNAL_ADDRESS: `${base}/` }, [
      "/api/config",
      "/api/config",
    ]],
    ["task-manager", { PREFECT_API_URL: `${base}/api` }, ["/api/health", "/api/health"]],
    ["message-queue", {
      INFRAHUB_BROKER_ADDRESS: "127.0.0.1",
      INFRAHUB_BROKER_PORT: `${server.addr.port}`,
    }, []],
    ["infrahub-server", {}, []],
    ["task-worker", { INFRAHUB_ADDRESS: base }, []],
  ] as const;
  for (const [service, variables, paths] of rows) {
    await t.step(`${service} ${JSON.stringify(Object.keys(variables))}`, async () => {
      isReady = false;
      asked.length = 0;
      await waitForService(host(variables).deployment, service);
      assertEquals(asked, [...paths]);
    });
  }
});

Deno.test("waitForService() waits for a broker that takes no connections yet", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { deployment, clock } = host({
    INFRAHUB_BROKER_ADDRESS: "127.0.0.1",
    INFRAHUB_BROKER_PORT: `${port}`,
  });
  let late: Deno.Listener | undefined;
  clock.onSleep = () => {
    late ??= Deno.listen({ hostname: "127.0.0.1", port });
  };
  await waitForService(deployment, "message-queue");
  late?.close();
  assertEquals(clock.now(), 500);
});

Deno.test("services start when those before them are ready, unless nobody wants to wait", async () => {
  for (const waitsForServices of [true, false]) {
    const environment = new FakeEnvironment();
    environment.healths.set("message-queue", ["unhealthy", "unhealthy", "healthy"]);
    const { deployment, clock } = fakeDeployment(environment);
    const { undo } = await stopApplicationServices(
      { ...deployment, waitsForServices },
      new UndoJournal(deployment),
    );
    await undo.perform();
    assertEquals(clock.now(), waitsForServices ? 1_000 : 0);
  }
});

Deno.test("a service that is not ready is named, and those after it are started", async () => {
  const environment = new FakeEnvironment().onService("start", "cache", failure(["x"], 1, "no"))
    .onService("start", "infrahub-server", () => {
      environment.statuses.set("infrahub-server", "stopped");
      return "";
    });
  const { deployment } = fakeDeployment(environment);
  const { undo } = await stopApplicationServices(deployment, new UndoJournal(deployment));
  await assertRejects(
    () => undo.perform(),
    DeploymentError,
    "failed to start infrahub-server: infrahub-server has ended right after its start",
  );
  assertEquals(environment.log.at(-1), "start task-worker");
});
