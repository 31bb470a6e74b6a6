/** A dump made for the demo, which changes between two backups. */
export interface Dump {
  /** Writes it; aborted between two blocks. @returns bytes written */
  create(signal: AbortSignal): Promise<number>;
  /** Overwrites 1 % of it in place, in runs as a database does. @returns bytes written */
  change(signal: AbortSignal): Promise<number>;
}

/** Writes all the bytes at a position of the file. */
export async function writeAt(file: Deno.FsFile, bytes: Uint8Array, at: number): Promise<void> {
  await file.seek(at, Deno.SeekMode.Start);
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}
