import { assertEquals } from "@std/assert";
import { Bench, isRunning } from "./_bench.ts";

/** Starts a backup whose command runs for ever, and waits until it runs. */
async function startEndlessBackup(bench: Bench, script = "exec sleep 1000") {
  const fifo = `${bench.root}/started`;
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  const command = `sh -c 'echo data; echo $$ > ${fifo}; ${script}'`;
  const child = bench.start([
    "create",
    "from-commands",
    "--init",
    "--quiet",
    "--neo4j-command",
    command,
  ]);
  // Opening the pipe waits for the command to write its process id.
  const pid = Number(await Deno.readTextFile(fifo));
  return { child, pid };
}

for (
  const [signal, code] of [["SIGHUP", 129], ["SIGINT", 130], ["SIGTERM", 143]] as const
) {
  Deno.test(`${signal} ends the command, releases the lock and exits with ${code}`, async () => {
    await using bench = await Bench.create();
    const { child, pid } = await startEndlessBackup(bench);
    child.kill(signal);
    const { code: got, stdout, stderr } = await child.output();
    const text = new TextDecoder().decode(stderr);
    assertEquals([got, text], [code, `Error: interrupted by ${signal}\n`]);
    assertEquals(stdout.length, 0);
    assertEquals(await isRunning(pid), false);
    assertEquals(await bench.snapshotIds(), []);
    await bench.assertSound();
  });
}

Deno.test("a terminal that is closed takes nothing along but the run, although its end cannot be told", async () => {
  await using bench = await Bench.create();
  const { child, pid } = await startEndlessBackup(bench);
  // As a closed terminal: nobody reads what is written, and SIGHUP comes.
  await Promise.all([child.stderr.cancel(), child.stdout.cancel()]);
  child.kill("SIGHUP");
  assertEquals((await child.status).code, 129);
  assertEquals(await isRunning(pid), false);
  assertEquals(await bench.snapshotIds(), []);
  await bench.assertSound();
});

Deno.test("a second signal ends the program at once, and the command with it", async () => {
  await using bench = await Bench.create();
  const { child, pid } = await startEndlessBackup(
    bench,
    "trap : TERM; while :; do sleep 1000; done",
  );
  const started = performance.now();
  child.kill("SIGTERM");
  // Signals of one kind merge while pending: the second one is of the other kind.
  child.kill("SIGINT");
  const { code } = await child.output();
  // The command ignores SIGTERM: without the second signal this would take the 5 s of grace.
  assertEquals(performance.now() - started < 4_000, true);
  assertEquals(code === 130 || code === 143, true);
  while (await isRunning(pid)) { /* SIGKILL has been sent; the kernel takes its moment */ }
});
