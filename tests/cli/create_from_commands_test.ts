import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { permissions } from "../../scripts/tool.ts";
import { Bench, isRunning } from "./_bench.ts";

const CREATE = ["create", "from-commands"];

Deno.test("the output of commands is stored and comes back", async () => {
  await using bench = await Bench.create();
  const result = await bench.json([
    ...CREATE,
    "--neo4j-command",
    `tar -C ${bench.root} -cf - neo4j`,
    "--postgres-command",
    `cat '${bench.dump}'`,
  ]);
  assertEquals(result.components.length, 3);
  const out = `${bench.root}/out`;
  await bench.succeed(["restore", "--to", out, "--backup-id", result.backup_id]);
  assertEquals(await Deno.readFile(`${out}/prefect.dump`), await Deno.readFile(bench.dump));
  const compare = ["--compare", "-f", `${out}/neo4j-backup.tar`, "-C", bench.root];
  assertEquals((await new Deno.Command("tar", { args: compare }).output()).code, 0);
});

Deno.test("limited to some programs, it starts no other, and reads no other variable", async (t) => {
  await using bench = await Bench.create();
  const options = { programs: ["cat", "head"] };
  await t.step("these", async () => {
    const result = await bench.json([...CREATE, "--neo4j-command", `cat ${bench.tar}`], options);
    assertEquals(result.components.length, 2);
    // It can be ended as well.
    const pipe = `${bench.root}/pipe`;
    assertEquals((await new Deno.Command("mkfifo", { args: [pipe] }).output()).code, 0);
    const stalled = [...CREATE, "--stream-timeout", "300ms", "--neo4j-command", `cat ${pipe}`];
    assertStringIncludes((await bench.run(stalled, options)).stderr, "stream idle timeout");
  });
  for (
    const command of [`sh -c 'cat ${bench.dump}'`, `/bin/sh -c 'cat ${bench.dump}'`, "env cat /x"]
  ) {
    await t.step(command, async () => {
      const { code, stderr } = await bench.run([...CREATE, "--neo4j-command", command], options);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "compiled to start other programs only");
    });
  }
  await t.step("another variable of the environment", async () => {
    const { code, stderr } = await bench.run(
      [...CREATE, "--neo4j-command", `cat ${bench.tar}`],
      { runtime: ["--preload=data:text/javascript,Deno.env.get('SECRET_OF_OTHERS')"] },
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, 'Requires env access to "SECRET_OF_OTHERS"');
  });
  assertThrows(() => permissions([""]), Error, "needs the names of programs");
});

Deno.test("a command that fails leaves no snapshot and nothing running", async (t) => {
  await using bench = await Bench.create();
  const pidFile = `${bench.root}/pid`;
  const script = (text: string) => `sh -c 'echo $$ > ${pidFile}; ${text}'`;
  const rows: [string, string, RegExp, string[]?][] = [
    [
      "exits with 1 after its last byte",
      script(`cat ${bench.tar}; echo no space left >&2; exit 1`),
      /exited with code 1; stderr: no space left$/,
    ],
    [
      "dies by a signal",
      script("head -c 100000 /dev/zero; kill -KILL $$"),
      /was ended by signal SIGKILL$/,
    ],
    [
      "stalls",
      script("echo data; exec sleep 1000"),
      /failed: stream idle timeout after 300ms with no data$/,
      ["--stream-timeout", "300ms"],
    ],
    ["writes nothing", script("exit 0"), /produced no output$/],
    ["cannot be found", "/nowhere/neo4j-admin dump", /cannot be started: program not found$/],
    ["cannot be executed", "/etc/passwd", /cannot be started: permission denied$/],
    [
      "floods stderr",
      script('echo data; head -c 10000000 /dev/zero | tr "\\0" x >&2; exit 2'),
      /exited with code 2; stderr: …x{4000,4096}$/,
    ],
    [
      "leaves a child that holds its output",
      script("sleep 1000 & echo data; exit 5"),
      /exited with code 5$/,
    ],
  ];
  for (const [name, command, message, more = []] of rows) {
    await t.step(name, async () => {
      await Deno.remove(pidFile).catch(() => {/* the first one, or a command that never ran */});
      await bench.fail(
        [...CREATE, "--neo4j-command", command, ...more],
        new RegExp(`^streaming backup failed for neo4j: command ".*" ${message.source}`),
      );
      const pid = await Deno.readTextFile(pidFile).catch(() => undefined);
      if (pid !== undefined) assertEquals(await isRunning(Number(pid)), false);
      assertEquals(await bench.snapshotIds(), []);
      await bench.assertSound();
    });
  }
});

Deno.test("components stored before the failure remain, and the group shows as incomplete", async () => {
  await using bench = await Bench.create();
  const { code, stdout, stderr } = await bench.run([
    ...CREATE,
    "--neo4j-command",
    `cat ${bench.tar}`,
    "--postgres-command",
    `sh -c 'head -c 100 ${bench.dump}; exit 4'`,
  ]);
  assertEquals([code, stdout], [1, ""]);
  const [group] = await bench.json(["snapshots", "list"]);
  assertStringIncludes(
    stderr,
    `level=warning msg="Backup group ${group.backup_id} is incomplete ` +
      '(1/3 components created: neo4j)"\nError: streaming backup failed for postgres: ',
  );
  assertEquals(group.status, "incomplete");
  assertEquals(group.snapshots.map((one: { component: string }) => one.component), ["neo4j"]);
  await bench.assertSound();
});

Deno.test("a component that fails does not keep the others from being stored", async () => {
  await using bench = await Bench.create();
  const { code, stderr } = await bench.run([
    ...CREATE,
    "--neo4j-command",
    `sh -c 'head -c 600 ${bench.tar}; exit 4'`,
    "--postgres-command",
    `cat ${bench.dump}`,
  ]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Error: streaming backup failed for neo4j: ");
  const [group] = await bench.json(["snapshots", "list"]);
  assertEquals(group.status, "incomplete");
  assertEquals(group.snapshots.map((one: { component: string }) => one.component), ["postgres"]);
  await bench.assertSound();
});

Deno.test("of several failures the first is the error, and the others are warnings", async () => {
  await using bench = await Bench.create();
  const { code, stderr } = await bench.run([
    ...CREATE,
    "--neo4j-command",
    `sh -c 'head -c 600 ${bench.tar}; exit 4'`,
    "--postgres-command",
    `sh -c 'head -c 100 ${bench.dump}; exit 5'`,
  ]);
  assertEquals(code, 1);
  assertMatch(stderr, /level=warning msg="streaming backup failed for postgres: .* code 5/);
  assertMatch(stderr, /^Error: streaming backup failed for neo4j: .* code 4/m);
});

Deno.test("in JSON mode the error is a JSON line, and the result says so", async () => {
  await using bench = await Bench.create();
  const { code, stdout, stderr } = await bench.run([
    ...CREATE,
    "--neo4j-command",
    "false",
    "--log-format=json",
  ]);
  const { ok, error } = JSON.parse(stdout);
  assertEquals([code, ok], [1, false]);
  assertMatch(error, /^streaming backup failed for neo4j: /);
  const lines = stderr.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.at(-1).level, "error");
  assertMatch(lines.at(-1).msg, /^Command failed: streaming backup failed for neo4j: /);
});
