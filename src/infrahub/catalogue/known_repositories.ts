import { createHash } from "node:crypto";
import { readTextIfThere, writeFileAtomically } from "../../files/mod.ts";
import type { Reporter } from "../reporter.ts";
import { messageOf } from "../../errors/mod.ts";

/** A repository that this host has written to. */
export interface KnownRepository {
  /** As the store names it, such as `fs:///var/backups/infrahub`. */
  readonly location: string;
  /** The repository's own id. */
  readonly id: string;
  /** When it was used last. */
  readonly usedAt: Date;
}

/**
 * The repositories that this host has written to, each in a file of its own in a directory of the
 * host's state: runs beside each other never wait for one another.
 *
 * It tells a repository that is not there any more, such as behind a mount that is missing, from one
 * that has never been: only the second is made without asking. It is a help and no record: where it
 * cannot be read or written, everything goes on as if there were none.
 */
export class KnownRepositories {
  readonly #directory: string;
  readonly #reporter: Reporter;

  /** @param directory absolute path; made when something is remembered */
  constructor(directory: string, reporter: Reporter) {
    this.#directory = directory;
    this.#reporter = reporter;
  }

  /** What is known of a location; undefined when nothing is. */
  async find(location: string): Promise<KnownRepository | undefined> {
    try {
      const text = await readTextIfThere(this.#pathOf(location));
      return text === undefined ? undefined : parse(text, location);
    } catch (error) {
      this.#reporter.debug(`What is known of ${location} cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** Remembers that a repository was there. */
  async remember({ location, id, usedAt }: KnownRepository): Promise<void> {
    try {
      await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const text = JSON.stringify({ location, id, used_at: usedAt.toISOString() });
      await writeFileAtomically(this.#pathOf(location), `${text}\n`, {
        mode: 0o600,
        replace: true,
      });
    } catch (error) {
      this.#reporter.debug(`${location} cannot be remembered: ${messageOf(error)}`);
    }
  }

  /** A location may hold anything; its hash is a file's name. */
  #pathOf(location: string): string {
    const name = createHash("sha256").update(location).digest("hex").slice(0, 32);
    return `${this.#directory}/repository-${name}.json`;
  }
}

function parse(text: string, location: string): KnownRepository | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return undefined;
  if (!("location" in value && "id" in value && "used_at" in value)) return undefined;
  const usedAt = new Date(String(value.used_at));
  if (value.location !== location || Number.isNaN(usedAt.getTime())) return undefined;
  return { location, id: String(value.id), usedAt };
}
