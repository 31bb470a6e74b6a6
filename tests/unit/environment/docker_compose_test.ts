import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  CommandFailedError,
  DockerCompose,
  EnvironmentError,
} from "../../../src/environment/mod.ts";
import { bytes, commandLines, DOCKER_EXEC, ended, isAlive, StandIn, textOf } from "./_stand_in.ts";

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

function compose(program: StandIn, controlTimeoutMs = 60_000): DockerCompose {
  return new DockerCompose({ project: "lab", program: program.path, controlTimeoutMs });
}

function container(service: string, state: string, more: Record<string, unknown> = {}) {
  return { Name: `lab-${service}-1`, Service: service, Image: "x", State: state, ...more };
}

Deno.test("DockerCompose.run calls docker as the Go tool does", async () => {
  await using docker = await StandIn.create("echo out; echo 'a warning' >&2");
  const environment = compose(docker);
  assertEquals(await environment.run("database", ["cat", "/a b", "$X"]), "out");
  await environment.run("database", ["neo4j-admin"], { user: "neo4j", env: { B: "2 3", A: "1" } });
  const base = ["compose", "-p", "lab", "exec", "-T"];
  assertEquals(await docker.calls(), [
    [...base, "database", "cat", "/a b", "$X"],
    [...base, "-u", "neo4j", "-e", "A=1", "-e", "B=2 3", "database", "neo4j-admin"],
  ]);
});

Deno.test("DockerCompose.run keeps variables of the container from a command", async () => {
  await using docker = await StandIn.create("cat");
  const options = { unset: ["PGHOST", "PGUSER"], env: { PGUSER: "u" } };
  await compose(docker).run("database", ["psql", "-X"], options);
  await compose(docker).run("database", ["psql"], { ...options, secrets: { PGPASSWORD: "x" } });
  const [plain, secret] = await docker.calls();
  assertEquals(plain?.slice(5), [
    "-e",
    "PGUSER=u",
    "database",
    "sh",
    "-c",
    'unset PGHOST; exec "$@"',
    "sh",
    "psql",
    "-X",
  ]);
  assertStringIncludes(secret?.join(" ") ?? "", "; unset PGHOST; export PGPASSWORD; exec");
});

Deno.test("DockerCompose.run gives an empty standard input", async () => {
  await using docker = await StandIn.create(DOCKER_EXEC);
  assertEquals(await compose(docker).run("database", ["wc", "-c"]), "0");
});

Deno.test("DockerCompose marks commands that may run long, in a variable", async () => {
  await using docker = await StandIn.create(DOCKER_EXEC);
  const environment = compose(docker);
  await environment.run("database", ["true"], { timeoutMs: 0 });
  const { stdout, finished } = await environment.streamOut("database", ["echo", "data"], {
    stallTimeoutMs: 0,
    env: { Z: "1" },
  });
  assertEquals(await textOf(stdout), "data\n");
  await finished;
  const input = await environment.streamIn("database", ["cat"], { stallTimeoutMs: 0 });
  await input.write(bytes("hello"));
  assertEquals(await input.close(), "hello");
  const base = ["compose", "-p", "lab", "exec", "-T", "-e", "INFRAHUB_BACKUP_RUN=UUID"];
  const calls = (await docker.calls()).map((call) => call.map((one) => one.replace(UUID, "UUID")));
  assertEquals(calls, [
    [...base, "database", "true"],
    [...base, "-e", "Z=1", "database", "echo", "data"],
    [...base, "database", "cat"],
  ]);
});

Deno.test("DockerCompose hands over secrets on no command line", async (t) => {
  await using docker = await StandIn.create(DOCKER_EXEC);
  const environment = compose(docker);
  const secrets = { PGPASSWORD: "  tell-nobody '$x\\ " };
  const show = ["sh", "-c", 'printf "%s|" "$PGPASSWORD"; cat'];
  await t.step("run", async () => {
    assertEquals(
      await environment.run("task-manager-db", show, { secrets }),
      `${secrets.PGPASSWORD}|`,
    );
  });
  await t.step("streamOut", async () => {
    const script = 'printf "%s|" "$PGPASSWORD"; exec sleep 1000';
    const { stdout } = await environment.streamOut("task-manager-db", ["sh", "-c", script], {
      secrets,
      stallTimeoutMs: 0,
    });
    const reader = stdout.getReader();
    const { value } = await reader.read();
    assertEquals(new TextDecoder().decode(value), `${secrets.PGPASSWORD}|`);
    // The client and the command both run now.
    const lines = await commandLines();
    assert(lines.some((line) => line.includes(docker.path)), "the client is among the processes");
    assert(!lines.some((line) => line.includes("tell-nobody")));
    await reader.cancel();
  });
  await t.step("streamIn", async () => {
    const input = await environment.streamIn("task-manager-db", show, {
      secrets,
      stallTimeoutMs: 0,
    });
    await input.write(bytes("the data"));
    assert(!(await commandLines()).some((line) => line.includes("tell-nobody")));
    assertEquals(await input.close(), `${secrets.PGPASSWORD}|the data`);
  });
  await t.step("errors", async () => {
    const error = await assertRejects(
      () => environment.run("task-manager-db", ["sh", "-c", "echo no >&2; exit 2"], { secrets }),
      CommandFailedError,
      `compose -p lab exec -T task-manager-db sh -c 'echo no >&2; exit 2'" exited with code 2; stderr: no`,
    );
    assert(!`${error.message}${error.stack}`.includes("tell-nobody"));
  });
  assert(!(await docker.calls()).flat().some((argument) => argument.includes("tell-nobody")));
});

Deno.test("DockerCompose ends what runs in the container when the client is ended", async (t) => {
  await using docker = await StandIn.create(DOCKER_EXEC);
  const environment = compose(docker);
  const stubborn = "trap '' TERM; echo $$; while :; do sleep 1000; done";
  await t.step("streamOut that stalls", async () => {
    const { stdout } = await environment.streamOut("database", ["sh", "-c", stubborn], {
      stallTimeoutMs: 500,
    });
    const reader = stdout.getReader();
    const pid = Number(new TextDecoder().decode((await reader.read()).value));
    assert(await isAlive(pid));
    await assertRejects(() => reader.read(), CommandFailedError, "stream idle timeout");
    assert(!await isAlive(pid), "it has ended before the failure is told");
  });
  await t.step("streamIn that is aborted sees no end of input", async () => {
    const script = `echo $$ >$0/pid; cat >/dev/null; echo complete >$0/seen`;
    const folder = await Deno.makeTempDir();
    const input = await environment.streamIn("database", ["sh", "-c", script, folder], {
      stallTimeoutMs: 0,
    });
    await input.write(new Uint8Array(500_000));
    await input.abort(new Error("source failed"));
    await ended(Number(await Deno.readTextFile(`${folder}/pid`)));
    await assertRejects(() => Deno.stat(`${folder}/seen`), Deno.errors.NotFound);
    await Deno.remove(folder, { recursive: true });
  });
  await t.step("run that is aborted", async () => {
    const folder = await Deno.makeTempDir();
    const controller = new AbortController();
    const script = `echo $$ >$0/new; mv $0/new $0/pid; exec sleep 1000`;
    const running = assertRejects(
      () =>
        environment.run("database", ["sh", "-c", script, folder], {
          timeoutMs: 0,
          signal: controller.signal,
        }),
      Error,
      "interrupted",
    );
    let pid = "";
    while (pid === "") pid = await Deno.readTextFile(`${folder}/pid`).catch(() => "");
    controller.abort(new Error("interrupted"));
    await running;
    assert(!await isAlive(Number(pid)));
    await Deno.remove(folder, { recursive: true });
  });
});

Deno.test("DockerCompose.status reads what compose lists, in either form", async (t) => {
  await using docker = await StandIn.create('cat "$DIR/ps"');
  const environment = compose(docker);
  const rows: [string, unknown[], string][] = [
    ["running", [container("cache", "running")], "running"],
    ["one of two", [container("cache", "exited"), container("cache", "running")], "running"],
    ["restarting", [container("cache", "restarting")], "running"],
    ["paused", [container("cache", "paused")], "running"],
    ["exited", [container("cache", "exited")], "stopped"],
    ["created", [container("cache", "created")], "stopped"],
    ["another service", [container("cache-exporter", "running")], "absent"],
    ["nothing", [], "absent"],
    [
      "one-off container",
      [container("cache", "running", { Labels: "a=b,com.docker.compose.oneoff=True" })],
      "absent",
    ],
    // The Go tool looks for "Up" in the whole table.
    ["Up in a name", [container("cache", "exited", { Name: "Up", Image: "Up" })], "stopped"],
  ];
  for (const [name, listed, status] of rows) {
    await t.step(`${name}, as an array`, async () => {
      await docker.put("ps", JSON.stringify(listed));
      assertEquals(await environment.status("cache"), status);
    });
    await t.step(`${name}, as lines`, async () => {
      await docker.put("ps", listed.map((one) => `${JSON.stringify(one)}\n`).join(""));
      assertEquals(await environment.status("cache"), status);
    });
  }
  assertEquals((await docker.calls())[0], ["compose", "-p", "lab", "ps", "-a", "--format", "json"]);
  await docker.put("ps", "NAME   IMAGE\n");
  await assertRejects(() => environment.status("cache"), EnvironmentError, "other than JSON");
});

/** Services take a look or two to start and to stop. */
const SLOW_SERVICES = `
case "$4" in
  start) [ "$5" = broken ] && { echo 'no such image' >&2; exit 1; }; echo start >"$DIR/todo" ;;
  stop) echo stop >"$DIR/todo" ;;
  ps)
    case "$(cat "$DIR/todo")" in
      start) state=created; echo start2 >"$DIR/todo" ;;
      start2) state=running ;;
      stop) state=running; echo stop2 >"$DIR/todo" ;;
      stop2) state=exited ;;
    esac
    for service in cache message-queue; do
      printf '{"Service":"%s","State":"%s"}\\n' $service $state
    done ;;
esac`;

Deno.test("DockerCompose.start and stop call docker as the Go tool does, and wait", async () => {
  await using docker = await StandIn.create(SLOW_SERVICES);
  const environment = compose(docker);
  const ps = ["compose", "-p", "lab", "ps", "-a", "--format", "json"];
  await environment.start(["cache", "message-queue"]);
  assertEquals(await docker.calls(), [
    ["compose", "-p", "lab", "start", "cache", "message-queue"],
    ps,
    ps,
  ]);
  await docker.forget();
  await environment.stop(["cache", "message-queue"]);
  assertEquals(await docker.calls(), [
    ["compose", "-p", "lab", "stop", "cache", "message-queue"],
    ps,
    ps,
  ]);
});

Deno.test("DockerCompose never means all services by naming none", async () => {
  await using docker = await StandIn.create("");
  await compose(docker).start([]);
  await compose(docker).stop([]);
  assertEquals(await docker.calls(), []);
});

Deno.test("DockerCompose.start and stop tell what went wrong", async () => {
  await using docker = await StandIn.create(SLOW_SERVICES);
  await assertRejects(
    () => compose(docker).start(["broken"]),
    CommandFailedError,
    "exited with code 1; stderr: no such image",
  );
  await using stuck = await StandIn.create(
    `[ "$4" != ps ] || echo '{"Service":"cache","State":"restarting"}'`,
  );
  const start = await assertRejects(() => compose(stuck, 400).start(["cache"]), EnvironmentError);
  assertStringIncludes(start.message, "cache does not run (restarting) after 400ms");
  const stop = await assertRejects(() => compose(stuck, 400).stop(["cache"]), EnvironmentError);
  assertStringIncludes(stop.message, "cache still runs (restarting) after 400ms");
});
