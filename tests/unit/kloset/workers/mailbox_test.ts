import { assertEquals } from "@std/assert";
import type { Task } from "../../../../src/kloset/workers/mod.ts";
import { Mailbox, MAILBOX_TASKS } from "../../../../src/kloset/workers/mailbox.ts";

const KEY = new Uint8Array(32).fill(1);

function task(length: number): Task {
  return {
    operation: "part",
    data: { offset: 8, length },
    length,
    mac: { algorithm: "BLAKE3", key: KEY },
    position: 0,
  };
}

/** Serves until so many tasks are answered; each answer is its task's length. */
function serve(mailbox: Mailbox, tasks: number): number {
  let rings = 0;
  let served = 0;
  // Another view of the same memory, as the worker has it.
  new Mailbox(mailbox.memory).serve(({ length }) => {
    if (++served === tasks) mailbox.close();
    return { result: new Uint8Array([length]) };
  }, () => rings++);
  return rings;
}

Deno.test("Mailbox gives answers in the order of the tasks, and rings once for those not taken", () => {
  const mailbox = new Mailbox();
  assertEquals(mailbox.take(), undefined);
  for (let i = 1; i <= MAILBOX_TASKS; i++) mailbox.put(task(i));
  assertEquals(serve(mailbox, MAILBOX_TASKS), 1);
  for (let i = 1; i <= MAILBOX_TASKS; i++) {
    assertEquals(mailbox.take(), { result: new Uint8Array([i]) });
  }
  assertEquals(mailbox.take(), undefined);
});

Deno.test("Mailbox that is closed leaves tasks undone", () => {
  const mailbox = new Mailbox();
  mailbox.put(task(1));
  mailbox.close();
  let performed = 0;
  new Mailbox(mailbox.memory).serve(() => {
    performed++;
    return { error: "performed" };
  }, () => performed++);
  assertEquals(performed, 0);
  assertEquals(mailbox.take(), undefined);
});
