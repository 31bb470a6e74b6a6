import { assertEquals, assertRejects } from "@std/assert";
import { commandSource } from "../../../../src/infrahub/dump/command_source.ts";
import { readAll } from "../_support.ts";

function open(script: string, signal: AbortSignal, stallTimeoutMs = 0) {
  return commandSource("postgres", "/prefect.dump", ["sh", "-c", script], stallTimeoutMs)
    .open(signal);
}

Deno.test("commandSource() is the command's output, and succeeds only with the command", async () => {
  const { signal } = new AbortController();
  const good = await open("printf dump", signal);
  assertEquals(new TextDecoder().decode(await readAll(good.content)), "dump");
  await good.finished;
  // All bytes arrive, and the dump is none all the same.
  const bad = await open("printf dump; echo 'no such table' >&2; exit 3", signal);
  await readAll(bad.content).catch(() => {});
  await assertRejects(() => bad.finished, Error, "no such table");
});

Deno.test("commandSource() ends a command that gives nothing, or that nobody waits for", async () => {
  const silent = await open("exec sleep 600", new AbortController().signal, 50);
  await readAll(silent.content).catch(() => {});
  await assertRejects(() => silent.finished, Error);
  const controller = new AbortController();
  const ended = await open("exec sleep 600", controller.signal);
  controller.abort(new Error("SIGTERM"));
  await readAll(ended.content).catch(() => {});
  await assertRejects(() => ended.finished, Error, "SIGTERM");
});
