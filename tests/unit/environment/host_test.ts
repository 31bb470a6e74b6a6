import { assert, assertEquals, assertRejects } from "@std/assert";
import { CommandFailedError, EnvironmentError, Host } from "../../../src/environment/mod.ts";
import { bytes, commandLines, StandIn } from "./_stand_in.ts";

Deno.test("Host runs commands directly, whatever the service", async () => {
  const host = new Host();
  assertEquals(host.target, Deno.hostname());
  assertEquals(await host.run("database", ["echo", "a b", "$X"]), "a b $X");
  assertEquals(await host.run("cache", ["printenv", "V"], { env: { V: "1" } }), "1");
  await assertRejects(
    () => host.run("database", ["sh", "-c", "echo why >&2; exit 6"]),
    CommandFailedError,
    "exited with code 6; stderr: why",
  );
  await assertRejects(
    () => host.run("database", ["sleep", "1000"], { timeoutMs: 50 }),
    CommandFailedError,
    "did not end within 50ms",
  );
});

Deno.test("Host streams a tar through two commands", async () => {
  const host = new Host();
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/from`);
  await Deno.mkdir(`${folder}/to`);
  const content = crypto.getRandomValues(new Uint8Array(60_000));
  await Deno.writeFile(`${folder}/from/file`, content);
  const options = { stallTimeoutMs: 10_000 };
  const output = await host.streamOut(
    "database",
    ["tar", "-C", `${folder}/from`, "-cf", "-", "."],
    options,
  );
  const input = await host.streamIn("database", ["tar", "-C", `${folder}/to`, "-xf", "-"], options);
  for await (const chunk of output.stdout) await input.write(chunk);
  await output.finished;
  assertEquals(await input.close(), "");
  assertEquals(await Deno.readFile(`${folder}/to/file`), content);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("Host tells a cut stream by the error of the command that takes it", async () => {
  const host = new Host();
  const input = await host.streamIn("database", ["tar", "-tf", "-"], { stallTimeoutMs: 0 });
  await input.write(bytes("no archive"));
  const error = await assertRejects(() => input.close(), CommandFailedError, "exited with code 2");
  assert(error.stderrTail.includes("tar"), error.stderrTail);
});

Deno.test("Host lets a command not inherit what is to be unset, but for what is set", async () => {
  const host = new Host();
  Deno.env.set("PGHOST", "inherited");
  Deno.env.set("PGUSER", "inherited");
  try {
    const show = ["sh", "-c", 'echo "${PGHOST-none} ${PGUSER-none} ${PGPASSWORD-none}"'];
    const unset = ["PGHOST", "PGUSER", "PGPASSWORD"];
    assertEquals(await host.run("database", show, { unset }), "none none none");
    const options = { unset, env: { PGUSER: "set" }, secrets: { PGPASSWORD: "x" } };
    assertEquals(await host.run("database", show, options), "none set x");
    const { message } = await assertRejects(
      () => host.run("database", ["false"], { unset }),
      CommandFailedError,
    );
    assertEquals(message, 'command "false" exited with code 1');
  } finally {
    Deno.env.delete("PGHOST");
    Deno.env.delete("PGUSER");
  }
});

Deno.test("Host hands over secrets on no command line", async () => {
  const host = new Host();
  const secrets = { PGPASSWORD: " tell-nobody " };
  assertEquals(
    await host.run("database", ["printenv", "PGPASSWORD"], { secrets }),
    " tell-nobody ",
  );
  const script = "printenv PGPASSWORD; exec sleep 1000";
  const { stdout } = await host.streamOut("database", ["sh", "-c", script], {
    secrets,
    stallTimeoutMs: 0,
  });
  const reader = stdout.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), " tell-nobody \n");
  assert(!(await commandLines()).some((line) => line.includes("tell-nobody")));
  await reader.cancel();
});

Deno.test({
  name: "Host runs commands as another user when it may",
  ignore: Deno.uid() !== 0,
  async fn() {
    const host = new Host();
    const show = ["sh", "-c", 'id -un; printf "%s|" "$P" "$@"', "sh", "-c", "a b"];
    assertEquals(
      await host.run("database", show, { user: "nobody", secrets: { P: "pw" } }),
      "nobody\npw|-c|a b|",
    );
    assertEquals(await host.run("database", ["id", "-un"], { user: "root" }), "root");
    const input = await host.streamIn("database", ["sh", "-c", "id -un; cat"], {
      user: "nobody",
      stallTimeoutMs: 0,
    });
    await input.write(bytes("data"));
    assertEquals(await input.close(), "nobody\ndata");
  },
});

Deno.test("Host fails for a user that does not exist", async () => {
  await assertRejects(
    () => new Host().run("database", ["true"], { user: "no-such-user" }),
    CommandFailedError,
    "no such user",
  );
});

/** The state of every unit is a file; what is started or stopped takes a look longer. */
const SYSTEMCTL = `
case "$1" in
  is-active)
    [ -e "$DIR/$2" ] || { echo inactive; exit 4; }
    state=$(cat "$DIR/$2")
    echo "$state"
    case "$state" in
      activating) echo active >"$DIR/$2" ;;
      deactivating) echo inactive >"$DIR/$2" ;;
    esac
    [ "$state" = active ] || exit 3 ;;
  start)
    [ "$2" = broken.service ] && { echo 'Unit is masked.' >&2; exit 1; }
    echo activating >"$DIR/$2" ;;
  stop) echo deactivating >"$DIR/$2" ;;
esac`;

Deno.test("Host.status asks systemctl", async (t) => {
  await using systemctl = await StandIn.create(SYSTEMCTL);
  const host = new Host({ units: { cache: "redis.service" }, systemctl: systemctl.path });
  const rows: [string, string][] = [
    ["active", "running"],
    ["reloading", "running"],
    ["activating", "running"],
    ["inactive", "stopped"],
    ["failed", "stopped"],
    ["unknown", "absent"],
  ];
  for (const [state, status] of rows) {
    await t.step(state, async () => {
      await systemctl.put("redis.service", state);
      assertEquals(await host.status("cache"), status);
    });
  }
  assertEquals((await systemctl.calls())[0], ["is-active", "redis.service"]);
  await t.step("no such unit", async () => {
    const other = new Host({ units: { cache: "nothing.service" }, systemctl: systemctl.path });
    assertEquals(await other.status("cache"), "absent");
  });
  await t.step("no systemd", async () => {
    await using broken = await StandIn.create("echo 'not booted with systemd' >&2; exit 1");
    const other = new Host({ units: { cache: "redis.service" }, systemctl: broken.path });
    await assertRejects(() => other.status("cache"), CommandFailedError, "not booted");
  });
});

Deno.test("Host.start and stop control units and wait for them", async () => {
  await using systemctl = await StandIn.create(SYSTEMCTL);
  await systemctl.put("redis.service", "inactive");
  const host = new Host({
    units: { cache: "redis.service", "message-queue": "broken.service" },
    systemctl: systemctl.path,
  });
  await host.start(["cache"]);
  assertEquals(await host.status("cache"), "running");
  await systemctl.forget();
  await host.stop(["cache"]);
  assertEquals(await systemctl.calls(), [
    ["stop", "redis.service"],
    ["is-active", "redis.service"],
    ["is-active", "redis.service"],
  ]);
  assertEquals(await host.status("cache"), "stopped");
  await assertRejects(() => host.start(["message-queue"]), CommandFailedError, "Unit is masked.");
});

Deno.test("Host.start fails when a unit does not come up in time", async () => {
  await using systemctl = await StandIn.create(`[ "$1" = start ] || { echo failed; exit 3; }`);
  const host = new Host({
    units: { cache: "redis.service" },
    systemctl: systemctl.path,
    controlTimeoutMs: 300,
  });
  await assertRejects(
    () => host.start(["cache"]),
    EnvironmentError,
    "cache (redis.service) is stopped, not running after 300ms",
  );
});

Deno.test("Host controls no service without a unit", async () => {
  await using systemctl = await StandIn.create(SYSTEMCTL);
  const host = new Host({ systemctl: systemctl.path });
  assertEquals(await host.status("database"), "absent");
  await host.start(["database"]);
  await host.stop(["database"]);
  assertEquals(await systemctl.calls(), []);
});
