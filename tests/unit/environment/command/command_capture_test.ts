import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  captureCommand,
  type CaptureCommandOptions,
  CommandFailedError,
} from "../../../../src/environment/mod.ts";
import { bytes, ended } from "../_stand_in.ts";

async function shell(script: string, options: Partial<CaptureCommandOptions> = {}) {
  return await captureCommand({ argv: ["sh", "-c", script], timeoutMs: 0, ...options });
}

Deno.test("captureCommand returns standard output alone, without the last line break", async (t) => {
  const rows: [string, string][] = [
    ["echo out; echo err >&2", "out"],
    ["printf 'a\\nb\\n\\n'", "a\nb\n"],
    ["printf ' a '", " a "],
    ["printf 'a\\r\\n'", "a"],
    ["true", ""],
    ["cat", ""],
  ];
  for (const [script, stdout] of rows) {
    await t.step(script, async () => {
      assertEquals(await shell(script), { stdout, exitCode: 0 });
    });
  }
});

Deno.test("captureCommand returns all of a long output", async () => {
  const { stdout } = await shell("head -c 5000000 /dev/zero | tr '\\0' x; echo end");
  assertEquals(stdout.length, 5_000_003);
  assert(stdout.endsWith("xend"));
});

Deno.test("captureCommand feeds its input, and minds not when nobody reads it", async () => {
  assertEquals((await shell("cat", { input: bytes("in") })).stdout, "in");
  assertEquals((await shell("exec <&-; echo ok", { input: new Uint8Array(500_000) })).stdout, "ok");
});

Deno.test("captureCommand's error has the exit code and the end of stderr", async () => {
  const error = await assertRejects(
    () => shell("echo out; echo 'no such table' >&2; exit 5"),
    CommandFailedError,
    "exited with code 5; stderr: no such table",
  );
  assertEquals([error.commandExitCode, error.stderrTail], [5, "no such table"]);
  const killed = await assertRejects(() => shell("kill -SEGV $$"), CommandFailedError, "SIGSEGV");
  assertEquals([killed.signal, killed.commandExitCode], ["SIGSEGV", undefined]);
});

Deno.test("captureCommand takes exit codes for answers when asked to", async () => {
  const answer = await shell("echo inactive; exit 3", { acceptedExitCodes: [0, 3] });
  assertEquals(answer, { stdout: "inactive", exitCode: 3 });
  await assertRejects(
    () => shell("exit 4", { acceptedExitCodes: [0, 3] }),
    CommandFailedError,
    "code 4",
  );
});

Deno.test("captureCommand ends a command that takes too long, with its children", async () => {
  const folder = await Deno.makeTempDir();
  await assertRejects(
    () => shell(`sleep 1000 & echo $! >${folder}/pid; wait`, { timeoutMs: 500 }),
    CommandFailedError,
    "did not end within 500ms",
  );
  await ended(Number(await Deno.readTextFile(`${folder}/pid`)));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("captureCommand ends the children of a failed command", async () => {
  const folder = await Deno.makeTempDir();
  const script = `sleep 1000 & echo $! >${folder}/pid; exit 9`;
  await assertRejects(() => shell(script), CommandFailedError, "code 9");
  await ended(Number(await Deno.readTextFile(`${folder}/pid`)));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("captureCommand returns while a daemon that does not write goes on", async () => {
  const { stdout } = await shell("sleep 1000 >/dev/null 2>&1 & echo $!");
  Deno.kill(Number(stdout), "SIGKILL");
});

Deno.test("captureCommand ends the command when the signal aborts", async () => {
  const controller = new AbortController();
  const running = assertRejects(
    () => shell("exec sleep 1000", { signal: controller.signal }),
    Error,
    "interrupted",
  );
  controller.abort(new Error("interrupted"));
  await running;
});

Deno.test("captureCommand shows the command that is meant", async () => {
  await assertRejects(
    () => shell("exit 1", { shownArgv: ["pg_dump", "-d", "a b"] }),
    CommandFailedError,
    `command "pg_dump -d 'a b'" exited with code 1`,
  );
});

Deno.test("captureCommand ends what runs elsewhere only when it ends the command", async () => {
  let count = 0;
  const endRemote = () => {
    count++;
    return Promise.resolve();
  };
  await assertRejects(() => shell("exit 1", { endRemote }), CommandFailedError);
  assertEquals(count, 0);
  await assertRejects(
    () => shell("exec sleep 1000", { endRemote, timeoutMs: 50 }),
    CommandFailedError,
  );
  assertEquals(count, 1);
});
