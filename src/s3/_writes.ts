import { type ChecksumMembers, checksumMembers, type S3Checksum } from "./_checksum.ts";
import type { Connection } from "./_connection.ts";
import type { Requests } from "./_requests.ts";
import { isKind, S3RequestError } from "./errors.ts";

/** The members of a request that say on which condition it writes. */
export interface Condition {
  readonly IfNoneMatch?: string;
}

/**
 * What is learnt of a service while writing to it: whether it knows conditional writes, and which
 * checksum of a body it looks at.
 *
 * Requests carry a CRC-32 where the service says that it has looked at it, and a Content-MD5 anywhere
 * else: many services do not know the newer checksums, and some pass over them in silence. The first
 * request with a body carries both. The signature covers these headers, so that bodies need no second
 * hash.
 */
export class ServiceWrites {
  readonly #requests: Requests;
  /** Whether the service knows conditional writes, as far as is known. */
  #isConditional = true;
  /** What the service takes; undefined until it has answered to both. */
  #checksum: S3Checksum | undefined;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Whether the service knows conditional writes, as far as is known. */
  get isConditional(): boolean {
    return this.#isConditional;
  }

  /** Whether the service has said that it looks at a CRC-32. */
  get takesCrc32(): boolean {
    return this.#checksum === "crc32";
  }

  /** The service was seen to pass over a CRC-32. */
  distrustCrc32(): void {
    this.#checksum = "md5";
  }

  /** Whether a service may have refused a request for the checksum that it carried. */
  isRefusal(error: unknown, connection: Connection): boolean {
    const { kind } = this.#requests.understand(error, connection);
    return kind === "permanent" || kind === "unsupported";
  }

  /** Sends a body with a checksum that the service looks at, and finds out which that is. */
  async sendChecked(
    connection: Connection,
    body: Uint8Array,
    send: (checksums: ChecksumMembers) => Promise<{ readonly ChecksumCRC32?: string | undefined }>,
  ): Promise<void> {
    const known = this.#checksum;
    const sent = checksumMembers(body, known === undefined ? ["crc32", "md5"] : [known]);
    try {
      const { ChecksumCRC32 } = await send(sent);
      if (known === "md5") return;
      // It names the checksum that it has found.
      this.#checksum = ChecksumCRC32 === sent.ChecksumCRC32 ? "crc32" : "md5";
      if (known === undefined || this.#checksum === "crc32") return;
    } catch (error) {
      if (known !== undefined || !this.isRefusal(error, connection)) throw error;
    }
    await send(checksumMembers(body, ["md5"]));
    this.#checksum = "md5";
  }

  /**
   * Writes on condition that nothing is there, or looks first where the service cannot.
   *
   * @param isThere looks whether something is there
   */
  async unlessExists(
    what: string,
    isThere: () => Promise<boolean>,
    write: (condition: Condition) => Promise<void>,
  ): Promise<void> {
    if (this.#isConditional) {
      try {
        return await write({ IfNoneMatch: "*" });
      } catch (error) {
        if (!isKind(error, "unsupported")) throw error;
        this.#isConditional = false;
      }
    }
    if (await isThere()) throw new S3RequestError(`${what}: it exists already`, "exists");
    await write({});
  }
}
