/**
 * Looks at every process of the machine, those in containers included, again and again.
 *
 * @module
 */

/** What was seen. */
export interface Sample {
  /** How many times all processes were looked at. */
  readonly rounds: number;
  /** Every command line seen, each once; arguments are separated by NUL. */
  readonly commandLines: readonly string[];
}

/** Samples command lines while `body` runs. Programs that end within some milliseconds may be missed. */
export async function sampleProcesses<T>(
  body: () => Promise<T>,
): Promise<{ readonly value: T; readonly sample: Sample }> {
  const worker = new Worker(new URL("./_process_sampler_worker.ts", import.meta.url), {
    type: "module",
  });
  const begun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<Sample>();
  worker.onmessage = ({ data }: MessageEvent<"sampling" | Sample>) => {
    if (data === "sampling") begun.resolve();
    else done.resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const error = new Error(event.message);
    begun.reject(error);
    done.reject(error);
  };
  // Looked at below; the body may fail before.
  done.promise.catch(() => {});
  try {
    await begun.promise;
    const value = await body();
    worker.postMessage("stop");
    return { value, sample: await done.promise };
  } finally {
    worker.terminate();
  }
}
