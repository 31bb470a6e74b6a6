import { attempt } from "../io/mod.ts";
import { InvalidSourceError } from "../errors.ts";
import type { ArchiveSource, PathSource, SourceAttributes, StreamSource } from "./sources.ts";

const READ_BYTES = 256 * 1024;

/** A source with its size known and its content ready to be read. */
export interface OpenSource {
  readonly size: number;
  readonly attributes: SourceAttributes;
  /** Exactly `size` bytes, or it fails. */
  readonly content: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Opens a source and passes it on; whatever happens, it is let go in the end. */
export async function withSource(
  source: ArchiveSource,
  signal: AbortSignal,
  use: (open: OpenSource) => Promise<void>,
): Promise<void> {
  if ("path" in source) await withFile(source, signal, use);
  else await withStream(source, signal, use);
}

async function withFile(
  { path, attributes }: PathSource,
  signal: AbortSignal,
  use: (open: OpenSource) => Promise<void>,
): Promise<void> {
  const what = `Cannot read "${path}"`;
  using file = await attempt(what, Deno.open(path));
  const before = await attempt(what, file.stat());
  const changed = () => new InvalidSourceError(`${what}: it changed while it was archived`);
  async function* content() {
    let left = before.size;
    while (left > 0) {
      signal.throwIfAborted();
      const buffer = new Uint8Array(Math.min(READ_BYTES, left));
      const count = await attempt(what, file.read(buffer));
      if (count === null) throw changed();
      left -= count;
      yield buffer.subarray(0, count);
    }
    const after = await attempt(what, file.stat());
    const same = after.size === before.size &&
      after.mtime?.getTime() === before.mtime?.getTime();
    if (!same) throw changed();
  }
  await use({
    size: before.size,
    attributes: { ...attributesOf(before), ...attributes },
    content: content(),
  });
}

async function withStream(
  { name, size, content, attributes = {} }: StreamSource,
  signal: AbortSignal,
  use: (open: OpenSource) => Promise<void>,
): Promise<void> {
  const reader = content.getReader();
  // Ends a read that waits for a source that has stalled.
  const stop = () => void reader.cancel(signal.reason).catch(() => {}); // it is given up anyway
  signal.addEventListener("abort", stop, { once: true });
  const wrongSize = (got: string) =>
    new InvalidSourceError(`Cannot archive "${name}": expected ${size} bytes, got ${got}`);
  async function* bytes() {
    let total = 0;
    while (true) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      total += value.length;
      if (total > size) throw wrongSize("more");
      // A copy: the source may use its buffer again, and this one waits in a queue.
      yield new Uint8Array(value);
    }
    if (total !== size) throw wrongSize(`${total}`);
  }
  try {
    signal.throwIfAborted();
    await use({ size, attributes, content: bytes() });
  } finally {
    signal.removeEventListener("abort", stop);
    await reader.cancel().catch(() => {}); // ended or failed: then it has been told already
  }
}

/** Attributes of a file or directory, as a tar header has them. */
export function attributesOf(info: Deno.FileInfo): SourceAttributes {
  return {
    ...info.mode === null ? {} : { mode: info.mode & 0o777 },
    ...info.mtime === null ? {} : { mtime: info.mtime },
    ...info.uid === null ? {} : { uid: info.uid },
    ...info.gid === null ? {} : { gid: info.gid },
  };
}
