import { BLAKE3_STATE_BYTES, type Kernels, type Region, SCRATCH_BYTES } from "../../kernels/mod.ts";
import { Mailbox, MAILBOX_TASKS } from "./mailbox.ts";
import type { Task, TaskResult, WorkerStart } from "./tasks.ts";

/** Threads that a long task starts with, however many there may be. */
const WARM_WORKERS = 4;

interface Assigned {
  readonly task: Task;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface PoolWorker {
  readonly worker: Worker;
  readonly memory: readonly Region[];
  readonly mailbox: Mailbox;
  /** What is in the mailbox, in order. */
  readonly assigned: Assigned[];
}

/**
 * Threads that hash, encode and decode regions of the kernels' shared memory.
 *
 * Tasks start in the order in which they are given, but for those that finish what others have
 * begun: these come first, as they set memory free. Answers come in any order. Threads are started
 * when tasks wait, so that commands which need none do not pay for them.
 */
export class WorkerPool {
  readonly kernels: Kernels;
  readonly #size: number;
  readonly #workers: PoolWorker[] = [];
  readonly #waiting: Assigned[] = [];
  readonly #waitingFirst: Assigned[] = [];
  #failure: Error | undefined;

  /**
   * @param kernels the owner of the shared memory
   * @param size number of threads, at least 1
   */
  constructor(kernels: Kernels, size: number) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`Cannot start ${size} workers: at least 1 is needed`);
    }
    this.kernels = kernels;
    this.#size = size;
  }

  /** Number of threads. */
  get size(): number {
    return this.#size;
  }

  /**
   * Starts the first threads. They take some 50 ms to come up: time that the caller has for
   * something else before it has tasks for them.
   */
  warmUp(): void {
    if (this.#failure !== undefined) return;
    while (this.#workers.length < Math.min(this.#size, WARM_WORKERS)) this.#start();
  }

  /**
   * Has a thread do the task.
   *
   * @throws {Error} a thread failed, or the pool is closed
   */
  run<T extends Task>(task: T): Promise<TaskResult<T>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const assigned = { task, resolve: resolve as (result: unknown) => void, reject };
      const worker = this.#idlest();
      if (worker !== undefined) this.#assign(worker, assigned);
      else if (comesFirst(task)) this.#waitingFirst.push(assigned);
      else this.#waiting.push(assigned);
    });
  }

  /** Ends the threads; tasks that are not done yet fail. */
  close(): void {
    this.#fail(new Error("The worker pool is closed"));
  }

  #idlest(): PoolWorker | undefined {
    let idlest: PoolWorker | undefined;
    for (const worker of this.#workers) {
      if (idlest === undefined || worker.assigned.length < idlest.assigned.length) idlest = worker;
    }
    if (this.#workers.length < this.#size && (idlest === undefined || idlest.assigned.length > 0)) {
      return this.#start();
    }
    return idlest !== undefined && idlest.assigned.length < MAILBOX_TASKS ? idlest : undefined;
  }

  #start(): PoolWorker {
    const scratch = this.kernels.allocate(SCRATCH_BYTES);
    const state = this.kernels.allocate(BLAKE3_STATE_BYTES);
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      deno: { permissions: "none" },
    });
    const mailbox = new Mailbox();
    worker.onerror = (event) => {
      // Handled here: without this the event would end the process.
      event.preventDefault();
      this.#fail(new Error(`A worker failed: ${event.message}`));
    };
    const started: PoolWorker = { worker, memory: [scratch, state], mailbox, assigned: [] };
    worker.onmessage = () => this.#receive(started);
    const { image } = this.kernels;
    worker.postMessage({ image, scratch, state, mailbox: mailbox.memory } satisfies WorkerStart);
    this.#workers.push(started);
    return started;
  }

  #assign(worker: PoolWorker, assigned: Assigned): void {
    worker.assigned.push(assigned);
    worker.mailbox.put(assigned.task);
  }

  #receive(worker: PoolWorker): void {
    // What was answered before the pool was closed may ring after it.
    if (this.#failure !== undefined) return;
    for (let answer; (answer = worker.mailbox.take()) !== undefined;) {
      const { resolve, reject } = worker.assigned.shift()!;
      const next = this.#waitingFirst.shift() ?? this.#waiting.shift();
      if (next !== undefined) this.#assign(worker, next);
      if ("error" in answer) reject(new Error(`A worker failed: ${answer.error}`));
      else resolve(answer.result);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { worker, mailbox, memory, assigned } of this.#workers.splice(0)) {
      mailbox.close();
      worker.terminate();
      for (const region of memory) this.kernels.free(region);
      for (const { reject } of assigned.splice(0)) reject(this.#failure);
    }
    for (const waiting of [this.#waitingFirst, this.#waiting]) {
      for (const { reject } of waiting.splice(0)) reject(this.#failure);
    }
  }
}

/** Whether a task works on what others have made, on its way to the store. */
function comesFirst({ operation }: Task): boolean {
  return operation === "encode" || operation === "part";
}
