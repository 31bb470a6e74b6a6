import { assertEquals, assertMatch } from "@std/assert";
import { ServiceNotifier } from "../../../../src/cli/report/sd_notify.ts";
import { knowsAbstractNames, ServiceManager } from "../_service_manager.ts";

/** A notifier with timers that only fire by hand. */
function open(variables: Readonly<Record<string, string>>) {
  const timers = new Map<number, () => void>();
  const problems: string[] = [];
  const notifier = ServiceNotifier.open({
    env: (name) => variables[name],
    repeat: (milliseconds, action) => {
      timers.set(milliseconds, action);
      return () => void timers.delete(milliseconds);
    },
    pid: 42,
    onProblem: (message) => problems.push(message),
  });
  return { notifier, timers, problems };
}

Deno.test("a run tells a real socket that it is ready, its status, that it lives, and its end", async (t) => {
  for (const kind of ["path", "abstract"] as const) {
    await t.step(kind, async () => {
      if (kind === "abstract" && !knowsAbstractNames()) {
        const { notifier, problems } = open({ NOTIFY_SOCKET: "@infrahub-test" });
        notifier?.ready("create");
        await notifier?.close("done");
        assertEquals(problems, [
          "Cannot notify the service manager at @infrahub-test: " +
          "this runtime knows no abstract socket names",
        ]);
        return;
      }
      await using manager = await ServiceManager.open(kind);
      const { notifier, timers, problems } = open({
        NOTIFY_SOCKET: manager.address,
        WATCHDOG_USEC: "180000000",
        WATCHDOG_PID: "42",
      });
      notifier?.ready("create");
      notifier?.status("create: neo4j 1.0 MB\nREADY=0");
      notifier?.status("create: neo4j 1.0 MB\nREADY=0");
      timers.get(90_000)?.();
      notifier?.stopping("interrupted by SIGTERM");
      notifier?.stopping("again");
      notifier?.status("late");
      timers.get(10_000)?.();
      await notifier?.close("create: exit code 143");
      await manager.until((line) => line.endsWith("143"));
      assertEquals(manager.lines, [
        "READY=1",
        "STATUS=create",
        "WATCHDOG=1",
        "STATUS=create: neo4j 1.0 MB READY=0",
        "WATCHDOG=1",
        "STOPPING=1",
        "STATUS=interrupted by SIGTERM",
        "EXTEND_TIMEOUT_USEC=60000000",
        "EXTEND_TIMEOUT_USEC=60000000",
        "STATUS=create: exit code 143",
      ]);
      assertEquals([problems, timers.size], [[], 0]);
    });
  }
});

Deno.test("the watchdog is served only when it is meant for this process", async (t) => {
  const rows: [Record<string, string>, number[]][] = [
    [{}, []],
    [{ WATCHDOG_USEC: "2000000" }, [1_000]],
    [{ WATCHDOG_USEC: "2000000", WATCHDOG_PID: "42" }, [1_000]],
    [{ WATCHDOG_USEC: "2000000", WATCHDOG_PID: "7" }, []],
    [{ WATCHDOG_USEC: "x" }, []],
    [{ WATCHDOG_USEC: "0" }, []],
  ];
  for (const [variables, intervals] of rows) {
    await t.step(JSON.stringify(variables), async () => {
      await using manager = await ServiceManager.open();
      const { notifier, timers } = open({ ...variables, NOTIFY_SOCKET: manager.address });
      notifier?.ready("x");
      assertEquals([...timers.keys()], intervals);
      await notifier?.close("y");
    });
  }
});

Deno.test("nobody is told where nobody listens, and a lost service manager is no failure", async () => {
  assertEquals(open({}).notifier, undefined);
  assertEquals(open({ NOTIFY_SOCKET: "" }).notifier, undefined);
  const folder = await Deno.makeTempDir();
  const { notifier, problems } = open({ NOTIFY_SOCKET: `${folder}/nobody` });
  notifier?.ready("x");
  notifier?.status("y");
  await notifier?.close("z");
  await Deno.remove(folder);
  assertEquals(problems.length, 1);
  assertMatch(problems[0] ?? "", /^Cannot notify the service manager at .*nobody: /);
});
