import { type Answer, Slot, SLOT_BYTES } from "./_slot.ts";
import type { Task } from "./tasks.ts";

/**
 * Tasks that a worker has at a time: one that it works on, and one that waits, so that it does not
 * idle while an answer travels.
 */
export const MAILBOX_TASKS = 2;

// Words at the start of a mailbox.
/** How many tasks were put in, modulo 2^32. */
const PUT = 0;
/** How many of them were answered, modulo 2^32. */
const ANSWERED = 1;
/** 1: the pool was told of answers, and has not looked since. */
const RUNG = 2;
/** 1: the worker is to stop. */
const CLOSED = 3;
const WORDS = 16;
const HEAD_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;

/**
 * Tasks for one worker, and its answers, which come in the same order.
 *
 * A message to a worker and back takes 0.1 ms of the processors' time, most of it to write objects
 * down and to turn event loops: as much as to hash 100 KiB. By shared memory it is a third of that,
 * although the pool is still told by a message, an empty one, when it has taken all other answers.
 * (`Atomics.waitAsync` would do without; in Deno 2.4 it does not wake the event loop.)
 */
export class Mailbox {
  /** For {@linkcode serve}; may be posted to the worker. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #slots: readonly Slot[];
  #taken = 0;

  /** @param memory of a mailbox that another thread has made */
  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + MAILBOX_TASKS * SLOT_BYTES)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#slots = Array.from(
      { length: MAILBOX_TASKS },
      (_, i) => new Slot(memory, HEAD_BYTES + i * SLOT_BYTES),
    );
  }

  /**
   * Performs tasks until the mailbox is closed, on the worker's thread, which does nothing else
   * meanwhile.
   *
   * @param ring called when there are answers again, after {@linkcode take} has found none
   */
  serve(perform: (task: Task) => Answer, ring: () => void): void {
    const words = this.#words;
    for (let served = 0;; served = (served + 1) | 0) {
      while (Atomics.load(words, CLOSED) === 0 && Atomics.load(words, PUT) === served) {
        Atomics.wait(words, PUT, served);
      }
      if (Atomics.load(words, CLOSED) !== 0) return;
      const slot = this.#slot(served);
      slot.writeAnswer(perform(slot.readTask()));
      Atomics.add(words, ANSWERED, 1);
      if (Atomics.exchange(words, RUNG, 1) === 0) ring();
    }
  }

  /**
   * Gives the worker a task. At most {@linkcode MAILBOX_TASKS} may be without an answer that was
   * taken.
   */
  put(task: Task): void {
    this.#slot(Atomics.load(this.#words, PUT)).writeTask(task);
    Atomics.add(this.#words, PUT, 1);
    Atomics.notify(this.#words, PUT);
  }

  /** Takes the next answer; undefined: there is none yet, and the worker rings when there is. */
  take(): Answer | undefined {
    const words = this.#words;
    if (Atomics.load(words, ANSWERED) === this.#taken) {
      Atomics.store(words, RUNG, 0);
      // It may have answered before it could see that; then nobody rings.
      if (Atomics.load(words, ANSWERED) === this.#taken) return undefined;
    }
    const answer = this.#slot(this.#taken).readAnswer();
    this.#taken = (this.#taken + 1) | 0;
    return answer;
  }

  /**
   * Has the worker stop once it is done with what it is at. A worker that waits must be told: it
   * cannot be terminated.
   */
  close(): void {
    Atomics.store(this.#words, CLOSED, 1);
    // Whoever looks at this word, to wait for it, sees that it has changed.
    Atomics.add(this.#words, PUT, 1);
    Atomics.notify(this.#words, PUT);
  }

  #slot(number: number): Slot {
    return this.#slots[(number >>> 0) % MAILBOX_TASKS]!;
  }
}
