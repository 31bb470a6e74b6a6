import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CommandFailedError,
  killRunningCommands,
  streamCommand,
} from "../../../../src/environment/mod.ts";
import type { StreamCommandOptions } from "../../../../src/environment/mod.ts";

function shell(script: string, options: Partial<StreamCommandOptions> = {}) {
  return streamCommand({ argv: ["sh", "-c", script], stallTimeoutMs: 0, ...options });
}

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** Resolves when no process of that id is left; the kernel's reaping is all that is waited for. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
    // A zombie has ended; its parent (here: init) has not read its status yet.
    if (state === undefined || / [ZX] /.test(state)) return;
  }
}

Deno.test("streamCommand delivers every byte to a default reader", async () => {
  const run = shell("head -c 3000000 /dev/zero; echo end >&2");
  assertEquals((await text(run.stdout)).length, 3_000_000);
  await run.finished;
});

Deno.test("streamCommand fills the caller's own buffers", async () => {
  const run = shell("printf hello; printf ' world'");
  const reader = run.stdout.getReader({ mode: "byob" });
  let got = "";
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(4));
    if (done) break;
    got += new TextDecoder().decode(value);
  }
  assertEquals(got, "hello world");
  await run.finished;
});

Deno.test("streamCommand passes arguments as they are and variables on top", async () => {
  const run = streamCommand({
    argv: ["sh", "-c", 'printf "%s|" "$IB_VALUE" "$@"', "name", "a b", "*", "$HOME"],
    env: { IB_VALUE: "v" },
    stallTimeoutMs: 0,
  });
  assertEquals(await text(run.stdout), "v|a b|*|$HOME|");
  await run.finished;
});

Deno.test("streamCommand fails when the command exits with 1 after its last byte", async () => {
  const run = shell("echo data; echo first >&2; echo 'no space left' >&2; exit 1");
  await assertRejects(() => text(run.stdout), CommandFailedError);
  const error = await assertRejects(() => run.finished, CommandFailedError);
  assertEquals(error.commandExitCode, 1);
  assertEquals(error.stderrTail, "first\nno space left");
  assert(
    error.message.includes("exited with code 1; stderr:\nfirst\nno space left"),
    error.message,
  );
});

Deno.test("streamCommand names the signal that ended the command", async () => {
  const run = shell("echo data; kill -KILL $$");
  await assertRejects(() => text(run.stdout), CommandFailedError);
  const error = await assertRejects(() => run.finished, CommandFailedError, "signal SIGKILL");
  assertEquals([error.signal, error.commandExitCode], ["SIGKILL", undefined]);
});

Deno.test("streamCommand ends a command that stalls", async () => {
  const run = shell("echo $$; exec sleep 1000", { stallTimeoutMs: 200 });
  const reader = run.stdout.getReader();
  const pid = Number(new TextDecoder().decode((await reader.read()).value));
  await assertRejects(
    () => reader.read(),
    CommandFailedError,
    "stream idle timeout after 200ms with no data",
  );
  await assertRejects(() => run.finished, CommandFailedError, "stream idle timeout");
  await ended(pid);
});

Deno.test("streamCommand kills a stalled command that ignores SIGTERM", async () => {
  const run = shell("trap '' TERM; echo $$; while :; do sleep 1000; done", {
    stallTimeoutMs: 200,
    killGraceMs: 100,
  });
  const reader = run.stdout.getReader();
  const pid = Number(new TextDecoder().decode((await reader.read()).value));
  await assertRejects(() => reader.read(), CommandFailedError, "stream idle timeout");
  await ended(pid);
});

Deno.test("streamCommand does not count the time in which nobody reads", async () => {
  const run = shell("head -c 200000 /dev/zero", { stallTimeoutMs: 100 });
  const reader = run.stdout.getReader();
  const first = await reader.read();
  // The reader is busy elsewhere for longer than the limit: another command runs meanwhile.
  const other = shell("sleep 0.3; echo done");
  await text(other.stdout);
  let total = first.value?.length ?? 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
  }
  assertEquals(total, 200_000);
  await run.finished;
});

Deno.test("streamCommand ends a command that closes its output and stays", async () => {
  const run = shell("echo data; exec sleep 1000 >&-", { stallTimeoutMs: 200 });
  await assertRejects(() => text(run.stdout), CommandFailedError, "did not exit");
});

Deno.test("streamCommand fails when a successful command wrote nothing", async () => {
  const run = shell("exit 0");
  await assertRejects(() => text(run.stdout), CommandFailedError, "produced no output");
  await assertRejects(() => run.finished, CommandFailedError, "produced no output");
});

Deno.test("streamCommand tells why a command cannot be started", async (t) => {
  const rows: [string, string][] = [
    ["/nowhere/pg_dump", `command "/nowhere/pg_dump" cannot be started: program not found`],
    ["/etc/passwd", `command "/etc/passwd" cannot be started: permission denied`],
  ];
  for (const [program, message] of rows) {
    await t.step(program, () => {
      assertThrows(
        () => streamCommand({ argv: [program], stallTimeoutMs: 0 }),
        CommandFailedError,
        message,
      );
    });
  }
});

Deno.test("streamCommand survives a flood on stderr and keeps its end", async () => {
  const run = shell(
    "echo data; head -c 10000000 /dev/zero | tr '\\0' x >&2; echo last words >&2; exit 3",
  );
  await assertRejects(() => text(run.stdout), CommandFailedError);
  const error = await assertRejects(() => run.finished, CommandFailedError);
  assertEquals(error.commandExitCode, 3);
  assert(error.stderrTail.endsWith("last words"));
  assert(error.stderrTail.length <= 4100, `${error.stderrTail.length}`);
});

Deno.test("streamCommand ends a failed command's children that hold its output", async () => {
  const run = shell("sleep 1000 & echo $!; exit 7");
  const reader = run.stdout.getReader();
  const first = await reader.read().catch(() => undefined);
  await assertRejects(() => run.finished, CommandFailedError, "exited with code 7");
  if (first?.value) await ended(Number(new TextDecoder().decode(first.value)));
});

Deno.test("streamCommand does not wait for a daemon that left the process group", async () => {
  const run = shell("setsid sleep 5 & echo data; exit 7");
  await assertRejects(() => text(run.stdout), CommandFailedError);
  await assertRejects(() => run.finished, CommandFailedError, "exited with code 7");
});

Deno.test("streamCommand ends the command when the signal aborts", async () => {
  const controller = new AbortController();
  const run = shell("sleep 1000 & echo $!; wait", { signal: controller.signal });
  const reader = run.stdout.getReader();
  const pid = Number(new TextDecoder().decode((await reader.read()).value));
  controller.abort(new Error("interrupted"));
  await assertRejects(() => reader.read(), Error, "interrupted");
  await assertRejects(() => run.finished, Error, "interrupted");
  await ended(pid);
});

Deno.test("streamCommand starts nothing for an aborted signal", () => {
  const signal = AbortSignal.abort(new Error("too late"));
  assertThrows(() => shell("echo data", { signal }), Error, "too late");
});

Deno.test("streamCommand ends the command when its output is cancelled", async () => {
  const run = shell("echo $$; exec sleep 1000");
  const reader = run.stdout.getReader();
  const pid = Number(new TextDecoder().decode((await reader.read()).value));
  await reader.cancel(new Error("disk full"));
  await assertRejects(() => run.finished, Error, "disk full");
  await ended(pid);
});

Deno.test("killRunningCommands kills what runs, without waiting for it", async () => {
  const run = shell("trap '' TERM; echo up; while :; do sleep 1000; done");
  const reader = run.stdout.getReader();
  await reader.read();
  killRunningCommands();
  await assertRejects(() => reader.read(), CommandFailedError, "signal SIGKILL");
});
