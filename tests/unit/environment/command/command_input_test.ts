import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CommandFailedError,
  feedCommand,
  type FeedCommandOptions,
  killRunningCommands,
} from "../../../../src/environment/mod.ts";
import { bytes, ended } from "../_stand_in.ts";

function shell(script: string, options: Partial<FeedCommandOptions> = {}) {
  return feedCommand({ argv: ["sh", "-c", script], stallTimeoutMs: 0, ...options });
}

const MEGABYTE: Uint8Array = new Uint8Array(1_000_000);

async function readPid(path: string): Promise<number> {
  for (;;) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text.endsWith("\n")) return Number(text);
  }
}

Deno.test("feedCommand hands over every byte and returns standard output", async () => {
  const input = shell("wc -c; echo noise >&2");
  for (let n = 0; n < 3; n++) await input.write(MEGABYTE);
  assertEquals((await input.close()).trim(), "3000000");
});

Deno.test("feedCommand lets bytes be reused once a write has resolved", async () => {
  const input = shell("cat");
  const buffer = new Uint8Array(3);
  for (const word of ["one", "two", "six"]) {
    buffer.set(bytes(word));
    await input.write(buffer);
  }
  assertEquals(await input.close(), "onetwosix");
});

Deno.test("feedCommand takes views of shared memory", async () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const view = new Uint8Array(memory.buffer, 10, 200_000).fill(120);
  const input = shell("tr -d x | wc -c");
  await input.write(view);
  assertEquals((await input.close()).trim(), "0");
});

Deno.test("feedCommand writes what stands before the data first", async () => {
  const input = shell("cat", { input: bytes("before ") });
  await input.write(bytes("after"));
  assertEquals(await input.close(), "before after");
});

Deno.test("feedCommand closes an input to which nothing was written", async () => {
  assertEquals(await shell("wc -c").close(), "0");
  assertEquals(await shell("cat", { input: bytes("only this") }).close(), "only this");
});

Deno.test("feedCommand keeps the end of a long standard output", async () => {
  const input = shell("cat >&2; head -c 10000000 /dev/zero | tr '\\0' x; echo the end");
  await input.write(MEGABYTE);
  const output = await input.close();
  assert(output.startsWith("…x") && output.endsWith("xthe end"), output.slice(-100));
  assertEquals(output.length, 64 * 1024);
});

Deno.test("feedCommand tells the command's own error when it ends early", async () => {
  const input = shell("head -c 10 >/dev/null; echo 'disk full' >&2; exit 1");
  const error = await assertRejects(async () => {
    for (let n = 0; n < 100; n++) await input.write(MEGABYTE);
  }, CommandFailedError);
  assertEquals([error.commandExitCode, error.stderrTail], [1, "disk full"]);
  const again = await assertRejects(() => input.write(MEGABYTE), CommandFailedError);
  assertEquals(again.commandExitCode, 1);
  await assertRejects(() => input.close(), CommandFailedError, "disk full");
});

Deno.test("feedCommand tells the error of a command that fails after its input", async () => {
  const input = shell("cat >/dev/null; echo 'bad archive' >&2; exit 3");
  await input.write(MEGABYTE);
  const error = await assertRejects(() => input.close(), CommandFailedError, "bad archive");
  assertEquals(error.commandExitCode, 3);
});

Deno.test("feedCommand fails when the command exits with 0 before the end of its input", async () => {
  const input = shell("head -c 10 >/dev/null; echo done >&2");
  const error = await assertRejects(
    async () => {
      for (let n = 0; n < 100; n++) await input.write(MEGABYTE);
    },
    CommandFailedError,
    "exited with code 0 before the end of its input; stderr: done",
  );
  assertEquals(error.commandExitCode, 0);
  await assertRejects(() => input.close(), CommandFailedError, "before the end of its input");
});

Deno.test("feedCommand fails when the command dies by a signal", async () => {
  const input = shell("head -c 10 >/dev/null; kill -KILL $$");
  const error = await assertRejects(
    async () => {
      for (let n = 0; n < 100; n++) await input.write(MEGABYTE);
    },
    CommandFailedError,
    "signal SIGKILL",
  );
  assertEquals(error.signal, "SIGKILL");
});

Deno.test("feedCommand ends a command that reads nothing", async () => {
  const folder = await Deno.makeTempDir();
  const input = shell(`echo $$ >${folder}/pid; exec sleep 1000`, { stallTimeoutMs: 200 });
  const pid = await readPid(`${folder}/pid`);
  await assertRejects(
    () => input.write(MEGABYTE),
    CommandFailedError,
    "stream idle timeout after 200ms with no data taken",
  );
  await ended(pid);
  await assertRejects(() => input.close(), CommandFailedError, "stream idle timeout");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("feedCommand ends a command that stalls midway and ignores SIGTERM", async () => {
  const folder = await Deno.makeTempDir();
  const script = `trap '' TERM; echo $$ >${folder}/pid; head -c 500000 >/dev/null
    while :; do sleep 1000; done`;
  const input = shell(script, { stallTimeoutMs: 300, killGraceMs: 100 });
  const pid = await readPid(`${folder}/pid`);
  await assertRejects(() => input.write(MEGABYTE), CommandFailedError, "stream idle timeout");
  await ended(pid);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("feedCommand does not count the time in which nothing is written", async () => {
  const input = shell("cat", { stallTimeoutMs: 100 });
  await input.write(bytes("a"));
  // We are busy elsewhere for longer than the limit: another command runs meanwhile.
  await shell("sleep 0.3").close();
  await input.write(bytes("b"));
  assertEquals(await input.close(), "ab");
});

Deno.test("feedCommand does not count the work after the end of the input", async () => {
  const input = shell("cat >/dev/null; sleep 0.3; echo built", { stallTimeoutMs: 100 });
  await input.write(MEGABYTE);
  assertEquals(await input.close(), "built");
});

Deno.test("feedCommand takes a slow command for no stalled one", async () => {
  const script =
    "for i in 1 2 3 4 5 6; do head -c 65536 >/dev/null; sleep 0.1; done; cat >/dev/null";
  const input = shell(script, { stallTimeoutMs: 400 });
  await input.write(new Uint8Array(6 * 65_536 + 200_000));
  await input.close();
});

Deno.test("feedCommand survives a flood on stderr and keeps its end", async () => {
  const script =
    "cat >/dev/null; head -c 10000000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 4";
  const input = shell(script);
  await input.write(MEGABYTE);
  const error = await assertRejects(() => input.close(), CommandFailedError);
  assertEquals(error.commandExitCode, 4);
  assertStringIncludes(error.stderrTail, "xlast");
  assert(error.stderrTail.length <= 4100, `${error.stderrTail.length}`);
});

Deno.test("feedCommand fails when the command closes its input and goes on", async () => {
  const input = shell("exec <&-; echo 'not reading' >&2; exec sleep 1000");
  await assertRejects(
    async () => {
      for (let n = 0; n < 100; n++) await input.write(MEGABYTE);
    },
    CommandFailedError,
    "stopped reading before the end of its input; stderr: not reading",
  );
});

Deno.test("feedCommand ends a failed command's children that hold its input", async () => {
  const input = shell("sleep 1000 <&0 & exit 7");
  await assertRejects(
    async () => {
      for (let n = 0; n < 100; n++) await input.write(MEGABYTE);
    },
    CommandFailedError,
    "exited with code 7",
  );
});

Deno.test("feedCommand ends the command when the signal aborts", async () => {
  const folder = await Deno.makeTempDir();
  const controller = new AbortController();
  const script = `echo $$ >${folder}/pid; exec sleep 1000`;
  const input = shell(script, { signal: controller.signal });
  const pid = await readPid(`${folder}/pid`);
  const writing = assertRejects(() => input.write(MEGABYTE), Error, "interrupted");
  controller.abort(new Error("interrupted"));
  await writing;
  await ended(pid);
  await assertRejects(() => input.close(), Error, "interrupted");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("feedCommand's abort ends the command before its input ends, as often as called", async () => {
  const folder = await Deno.makeTempDir();
  // Whoever sees the end of the input says so.
  const input = shell(`cat >/dev/null; echo complete >${folder}/seen`);
  await input.write(MEGABYTE);
  await input.abort(new Error("source failed"));
  await input.abort(new Error("again"));
  await assertRejects(() => input.close(), Error, "source failed");
  await assertRejects(() => Deno.stat(`${folder}/seen`), Deno.errors.NotFound);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("feedCommand's abort changes nothing once the command has succeeded", async () => {
  const input = shell("cat");
  await input.write(bytes("x"));
  assertEquals(await input.close(), "x");
  await input.abort(new Error("too late"));
  assertEquals(await input.close(), "x");
  await assertRejects(() => input.write(bytes("y")), TypeError, "closed");
});

Deno.test("feedCommand ends what runs elsewhere before the command itself", async () => {
  const folder = await Deno.makeTempDir();
  // A shell gives background commands an empty input; without the copy, cat would end at once.
  const script = `trap 'echo client >>${folder}/order; exit 1' TERM; ` +
    "exec 3<&0; cat <&3 >/dev/null & wait";
  const input = shell(script, {
    endRemote: () => Deno.writeTextFile(`${folder}/order`, "remote\n", { append: true }),
  });
  await input.write(bytes("x"));
  await input.abort(new Error("enough"));
  assert((await Deno.readTextFile(`${folder}/order`)).startsWith("remote\n"));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("feedCommand tells why a command cannot be started", () => {
  assertThrows(
    () => feedCommand({ argv: ["/nowhere/pg_restore"], stallTimeoutMs: 0 }),
    CommandFailedError,
    "program not found",
  );
  assertThrows(
    () => shell("true", { signal: AbortSignal.abort(new Error("late")) }),
    Error,
    "late",
  );
});

Deno.test("killRunningCommands kills fed commands as well", async () => {
  const input = shell("trap '' TERM; cat >/dev/null; sleep 1000");
  await input.write(bytes("x"));
  killRunningCommands();
  await assertRejects(() => input.close(), CommandFailedError, "signal SIGKILL");
});
