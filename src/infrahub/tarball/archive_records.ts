import { openArchive } from "../../archive/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { directoryOf, readTextIfThere, writeFileAtomically } from "../../files/mod.ts";
import { type BackupOrigin, originFields, readOriginFields } from "../origin/mod.ts";

/** What has to be known of an archive to compare another one with it. */
export interface ArchiveFacts {
  /** As the archive's metadata has them: `database`, `task-manager-db`. */
  readonly components: readonly string[];
  readonly origin: BackupOrigin;
}

/** Larger files are cut down to their newer half. */
const MAXIMUM_BYTES = 1024 * 1024;

/**
 * What this host knows of the archives that it has made, beside its other caches: an archive tells its
 * components and its deployment at its end, an encrypted one to nobody here. Losing this costs reading
 * an archive once.
 */
export class ArchiveRecords {
  readonly #path: string;

  /** @param directory made when it is missing */
  constructor(directory: string) {
    this.#path = `${directory}/archives.jsonl`;
  }

  /**
   * Remembers an archive.
   *
   * @param path absolute
   */
  async add(path: string, bytes: number, { components, origin }: ArchiveFacts): Promise<void> {
    const line = JSON.stringify({ path, bytes, components, origin: originFields(origin) }) + "\n";
    await Deno.mkdir(directoryOf(this.#path), { recursive: true, mode: 0o700 });
    const known = await this.#read();
    if (known.length < MAXIMUM_BYTES) {
      await Deno.writeTextFile(this.#path, line, { append: true, mode: 0o600 });
      return;
    }
    const lines = known.split("\n");
    const newer = lines.slice(lines.length >> 1).join("\n");
    await writeFileAtomically(this.#path, newer + line, { mode: 0o600, replace: true });
  }

  /** What is known of an archive; undefined for one that has another length than it had. */
  async find(path: string, bytes: number): Promise<ArchiveFacts | undefined> {
    for (const line of (await this.#read()).split("\n").reverse()) {
      const record = parse(line);
      if (record.path !== path || record.bytes !== bytes) continue;
      if (!Array.isArray(record.components)) continue;
      const components = record.components.filter((name) => typeof name === "string");
      return { components, origin: readOriginFields(record.origin) };
    }
    return undefined;
  }

  async #read(): Promise<string> {
    return await readTextIfThere(this.#path) ?? "";
  }
}

/** A line that was cut off, or is none of ours, says nothing. */
function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/**
 * Reads an archive to its end for what its metadata says.
 *
 * @returns why it cannot be read, as for one that is encrypted
 */
export async function readArchiveFacts(
  path: string,
  signal?: AbortSignal,
): Promise<ArchiveFacts | string> {
  try {
    const { metadata } = await openArchive(path, { signal });
    return { components: metadata.components, origin: readOriginFields(metadata.origin) };
  } catch (error) {
    signal?.throwIfAborted();
    return messageOf(error);
  }
}
