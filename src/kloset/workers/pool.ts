import { BLAKE3_STATE_BYTES, type Kernels, type Region, SCRATCH_BYTES } from "../../kernels/mod.ts";
import type { Task, TaskResult, WorkerReply, WorkerRequest, WorkerStart } from "./tasks.ts";

/**
 * Tasks given to one worker at a time: one that it works on, and one that waits in its mailbox, so
 * that it does not idle while an answer travels.
 */
const TASKS_PER_WORKER = 2;

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
  readonly assigned: Map<number, Assigned>;
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
  #nextId = 0;
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
      if (idlest === undefined || worker.assigned.size < idlest.assigned.size) idlest = worker;
    }
    if (this.#workers.length < this.#size && (idlest === undefined || idlest.assigned.size > 0)) {
      return this.#start();
    }
    return idlest !== undefined && idlest.assigned.size < TASKS_PER_WORKER ? idlest : undefined;
  }

  #start(): PoolWorker {
    const scratch = this.kernels.allocate(SCRATCH_BYTES);
    const state = this.kernels.allocate(BLAKE3_STATE_BYTES);
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const started: PoolWorker = { worker, memory: [scratch, state], assigned: new Map() };
    worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => this.#receive(started, data);
    worker.onerror = (event) => {
      // Handled here: without this the event would end the process.
      event.preventDefault();
      this.#fail(new Error(`A worker failed: ${event.message}`));
    };
    worker.postMessage({ image: this.kernels.image, scratch, state } satisfies WorkerStart);
    this.#workers.push(started);
    return started;
  }

  #assign(worker: PoolWorker, assigned: Assigned): void {
    const id = this.#nextId++;
    worker.assigned.set(id, assigned);
    worker.worker.postMessage({ id, task: assigned.task } satisfies WorkerRequest);
  }

  #receive(worker: PoolWorker, reply: WorkerReply): void {
    const assigned = worker.assigned.get(reply.id);
    worker.assigned.delete(reply.id);
    const next = this.#waitingFirst.shift() ?? this.#waiting.shift();
    if (next !== undefined) this.#assign(worker, next);
    if ("error" in reply) assigned?.reject(new Error(`A worker failed: ${reply.error}`));
    else assigned?.resolve(reply.result);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { worker, memory, assigned } of this.#workers.splice(0)) {
      worker.terminate();
      for (const region of memory) this.kernels.free(region);
      for (const { reject } of assigned.values()) reject(this.#failure);
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
