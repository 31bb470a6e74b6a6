/** Runs of the program under a service manager that listens: a real datagram socket. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ServiceManager } from "../unit/cli/_service_manager.ts";
import { Bench } from "./_bench.ts";

Deno.test("a backup tells the service manager that it runs, how far it is, and how it ended", async () => {
  await using bench = await Bench.create();
  await using manager = await ServiceManager.open();
  const hold = `${bench.root}/hold`;
  await new Deno.Command("mkfifo", { args: [hold] }).output();
  const store = `${bench.neo4j}/databases/neo4j/store.db`;
  const child = bench.start([
    "create",
    "from-commands",
    "--neo4j-edition=community",
    "--format=raw",
    "--neo4j-command",
    `sh -c 'for i in 1 2 3 4 5 6; do cat ${store}; done; cat ${hold}'`,
  ], { env: { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC: "200000" } });
  const output = child.output();
  await manager.until((line) =>
    /^STATUS=create from-commands: neo4j [\d.]+ [KM]B, .*new$/.test(line)
  );
  const signsOfLife = () => manager.lines.filter((line) => line === "WATCHDOG=1").length;
  const before = signsOfLife();
  await manager.until(() => signsOfLife() > before + 1);
  await Deno.writeTextFile(hold, "");
  const { code, stderr } = await output;
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  await manager.until((line) => line === "STATUS=create from-commands: exit code 0");
  assertEquals(manager.lines.slice(0, 2), ["READY=1", "STATUS=create from-commands"]);
  assertEquals(manager.lines.filter((line) => line === "STOPPING=1").length, 1);
});

Deno.test("a command that only reads tells the service manager as well, to its end", async () => {
  await using bench = await Bench.create();
  await using manager = await ServiceManager.open();
  await bench.backUp();
  await bench.succeed(["snapshots", "check"], { env: { NOTIFY_SOCKET: manager.address } });
  await manager.until((line) => line === "STATUS=snapshots check: exit code 0");
});

Deno.test("a backup that is asked to end asks for the time to put everything back", async () => {
  await using bench = await Bench.create();
  await using manager = await ServiceManager.open();
  const fifo = `${bench.root}/started`;
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  const child = bench.start([
    "create",
    "from-commands",
    "--neo4j-command",
    `sh -c 'echo data; echo $$ > ${fifo}; exec sleep 1000'`,
  ], { env: { NOTIFY_SOCKET: manager.address } });
  await Deno.readTextFile(fifo); // waits for the command
  child.kill("SIGTERM");
  assertEquals((await child.output()).code, 143);
  await manager.until((line) => line.endsWith("exit code 143"));
  const stopping = manager.lines.indexOf("STOPPING=1");
  assert(stopping > 0);
  assertMatch(manager.lines[stopping + 1] ?? "", /^STATUS=interrupted by SIGTERM: /);
  assertEquals(manager.lines[stopping + 2], "EXTEND_TIMEOUT_USEC=60000000");
});

Deno.test("a backup goes well where notifications do not", async (t) => {
  await using bench = await Bench.create();
  for (const address of [`${bench.root}/nobody`, "/dev/null", "@infrahub-nobody", "relative"]) {
    await t.step(address, async () => {
      const { stdout, stderr } = await bench.succeed([
        "create",
        "from-files",
        "--neo4j-path",
        bench.neo4j,
        "--log-level=debug",
      ], { env: { NOTIFY_SOCKET: address } });
      assertMatch(stdout, /^Backup \d/);
      assertMatch(stderr, /level=debug msg="Cannot notify the service manager at /);
    });
  }
});

Deno.test("the passphrase comes from the credential that the units load", async () => {
  await using bench = await Bench.create();
  const credentials = `${bench.root}/credentials`;
  await Deno.mkdir(credentials);
  const unit = await bench.succeed(["systemd", "units", "--passphrase-file", "/etc/p"]);
  const [, name = ""] = /^LoadCredential=([^:]+):\/etc\/p$/m.exec(unit.stdout) ?? [];
  await Deno.writeTextFile(`${credentials}/${name}`, "correct horse battery staple\n");
  const env = { CREDENTIALS_DIRECTORY: credentials };
  const create = ["create", "from-files", "--encrypt", "--neo4j-path", bench.neo4j];
  await bench.succeed(create, { env });
  await bench.succeed(["snapshots", "list"], { env });
  assertEquals((await bench.run(["snapshots", "list"])).code, 1);
});
