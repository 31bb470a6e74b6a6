import { assertEquals } from "@std/assert";
import { type Answer, Slot, SLOT_BYTES } from "../../../../src/kloset/workers/_slot.ts";
import type { Task } from "../../../../src/kloset/workers/mod.ts";

const BEFORE_BYTES = 24;

const data = { offset: 2 ** 31 - 64, length: 8_388_608 };
const target = { offset: 65_536, length: 8_400_000 };
const mac = { algorithm: "BLAKE3", key: Uint8Array.from({ length: 32 }, (_, i) => i) } as const;
const plain = { compression: undefined, encryption: undefined };
const encrypted = {
  compression: "LZ4",
  encryption: { key: new Uint8Array(32).fill(7), pieceBytes: 65_536 },
} as const;

const TASKS: Task[] = [
  { operation: "hash", data, length: 1, mac, entropy: true, position: 2 ** 50 + 1 },
  {
    operation: "hash",
    data,
    length: 0,
    mac: { algorithm: "SHA256", key: new Uint8Array(32).fill(255) },
    entropy: false,
    position: 0,
  },
  { operation: "part", data, length: 8_388_608, mac, position: 1024 },
  { operation: "encode", data, length: 5, target, encoding: plain },
  { operation: "encode", data, length: 5, target, encoding: encrypted },
  {
    operation: "decode",
    data,
    start: 3,
    length: 5,
    target,
    encoding: { compression: "GZIP", encryption: undefined },
    mac,
    position: 7,
  },
  { operation: "decode", data, start: 0, length: 5, target, encoding: encrypted, mac, position: 0 },
];

/** Two views of one slot, as two threads have them, between other bytes. */
function makeSlots(): { ours: Slot; theirs: Slot; around: () => Uint8Array } {
  const memory = new SharedArrayBuffer(BEFORE_BYTES + SLOT_BYTES + 8);
  return {
    ours: new Slot(memory, BEFORE_BYTES),
    theirs: new Slot(memory, BEFORE_BYTES),
    around: () => {
      const bytes = new Uint8Array(memory);
      return new Uint8Array([
        ...bytes.subarray(0, BEFORE_BYTES),
        ...bytes.subarray(BEFORE_BYTES + SLOT_BYTES),
      ]);
    },
  };
}

Deno.test("Slot: a task is read as it was written, whatever was there before", () => {
  const { ours, theirs, around } = makeSlots();
  for (const task of [...TASKS, ...TASKS.toReversed()]) {
    ours.writeTask(task);
    assertEquals(theirs.readTask(), task);
  }
  assertEquals(around(), new Uint8Array(around().length));
});

/** Answers to a task, the longest ones that there are among them. */
function answersTo({ operation }: Task): Answer[] {
  const part = new Uint8Array(4096).fill(3);
  const digest = new Uint8Array(32).fill(4);
  const failures = [{ error: "Cannot find \u201cit\u201d" }, { error: "" }];
  switch (operation) {
    case "hash":
      return [
        { result: { mac: digest, entropy: 7.999, part } },
        { result: { mac: digest, entropy: 0, part: undefined } },
        ...failures,
      ];
    case "part":
      return [{ result: part }, { result: new Uint8Array() }, { result: undefined }, ...failures];
    case "encode":
      return [{ result: { length: 8_400_000 } }, { result: { length: 0 } }, ...failures];
    case "decode":
      return [
        { result: { length: 5, mac: digest, part } },
        { result: { damage: "not a sound LZ4 frame" } },
        { result: { length: 0, mac: digest, part: undefined } },
        ...failures,
      ];
  }
}

Deno.test("Slot: an answer is read as it was written, and stays when the slot is used again", () => {
  const { ours, theirs, around } = makeSlots();
  const read: Answer[] = [];
  const written: Answer[] = [];
  for (const task of TASKS) {
    for (const answer of answersTo(task)) {
      ours.writeTask(task);
      theirs.writeAnswer(answer);
      read.push(ours.readAnswer());
      written.push(answer);
    }
  }
  assertEquals(read, written);
  assertEquals(around(), new Uint8Array(around().length));
});

Deno.test("Slot: of a long text, the beginning is told", () => {
  const { ours, theirs } = makeSlots();
  ours.writeTask(TASKS[0]!);
  theirs.writeAnswer({ error: "x".repeat(100_000) });
  assertEquals(ours.readAnswer(), { error: "x".repeat(4096) });
});
