import { messageOf } from "../errors/mod.ts";
import { type Connection, Connector, DEFAULT_REGION, TOLD_AFTER_MS } from "./_connection.ts";
import { type S3Failure, understand } from "./_failure.ts";
import { DEFAULT_RETRIES, pause, retryDelayMs } from "./_retry.ts";
import { S3Error, S3RequestError } from "./errors.ts";
import type { S3Location } from "./location.ts";
import type { S3Settings } from "./settings.ts";

/** How often a wait that lasts is told, in milliseconds. */
const TOLD_EVERY_MS = 60_000;

/**
 * Requests about one bucket: tried again as often as that is worth it, in the region where the bucket
 * is, with the credentials that are valid now.
 */
export class Requests {
  readonly address: S3Location;
  readonly #settings: S3Settings;
  readonly #connector: Connector;
  #connection: Promise<Connection> | undefined;
  readonly #toldAt = { answer: -Infinity, tries: -Infinity };

  constructor(address: S3Location, settings: S3Settings) {
    this.address = address;
    this.#settings = settings;
    this.#connector = new Connector(
      address,
      settings,
      () => this.#tellWait("answer", `Waiting for S3: ${address.bucket} has given no answer yet`),
    );
  }

  /** The members of a request that name an object. */
  object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.address.bucket, Key: key };
  }

  /** What an error of a request means. */
  understand(error: unknown, { region }: Pick<Connection, "region">): S3Failure {
    return understand(error, this.address, region);
  }

  /** Many requests may wait for one service: it is told once a minute. */
  #tellWait(kind: "answer" | "tries", message: string): void {
    const now = performance.now();
    if (now - this.#toldAt[kind] < TOLD_EVERY_MS) return;
    this.#toldAt[kind] = now;
    this.#settings.onWarning?.(message);
  }

  /**
   * Runs requests until they succeed, or are not worth another try.
   *
   * @param what what they are made for, as the beginning of an error's message
   * @throws {S3RequestError} they have failed
   * @throws the signal's reason when it aborts
   */
  async run<T>(
    what: string,
    action: (connection: Connection, attempt: { madeProgress(): void }) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const retries = this.#settings.retries ?? DEFAULT_RETRIES;
    const started = performance.now();
    let hasReloaded = false;
    for (let attempt = 1;; attempt++) {
      signal?.throwIfAborted();
      const connecting = this.#connection ??= this.#connector.connect();
      let region = DEFAULT_REGION;
      let failure: S3Failure;
      let cause: unknown;
      try {
        const connection = await connecting;
        region = connection.region;
        return await action(connection, { madeProgress: () => void (attempt = 0) });
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof S3Error) throw error;
        failure = this.understand(error, { region });
        cause = error;
      }
      const reconnect = () => {
        if (this.#connection === connecting) this.#connection = undefined;
      };
      if (failure.kind === "expired" && !hasReloaded) {
        // Files with credentials may have been renewed meanwhile.
        hasReloaded = true;
        reconnect();
        continue;
      }
      if (failure.kind === "region" && this.#connector.follow(failure.region)) {
        reconnect();
        continue;
      }
      const isLast = attempt >= retries.attempts || this.#settings.signal?.aborted === true;
      if (failure.kind !== "transient" || isLast) {
        const tries = failure.kind === "transient" && attempt > 1 ? `, tried ${attempt} times` : "";
        throw new S3RequestError(`${what}: ${failure.message}${tries}`, failure.kind, {
          cause: withoutSecrets(cause),
        });
      }
      const delay = retryDelayMs(retries, attempt);
      // Said before it is slept for, and not when it is over.
      if (performance.now() + delay - started >= (this.#settings.toldAfterMs ?? TOLD_AFTER_MS)) {
        this.#tellWait("tries", `Waiting for S3: ${what}: ${failure.message}; it is tried again`);
      }
      await pause(delay, this.#settings.signal);
    }
  }
}

/** The SDK's errors repeat the access key and what was signed. */
function withoutSecrets(error: unknown): Error {
  const copy = new Error(messageOf(error));
  copy.name = error instanceof Error ? error.name : "Error";
  return copy;
}
