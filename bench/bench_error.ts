/** Something that the benchmark needs is missing or has failed; the message says what to do. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}
