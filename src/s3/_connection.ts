import type * as Sdk from "@aws-sdk/client-s3";
import { type CheckedRequest, signByChecksum } from "./_checksum.ts";
import { S3HttpHandler } from "./_http.ts";
import { S3Error } from "./errors.ts";
import type { S3Location } from "./location.ts";
import type { S3Settings } from "./settings.ts";

/** The SDK, with a client for one region and set of credentials. */
export interface Connection {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  readonly region: string;
}

const DEFAULT_STALL_TIMEOUT_MS = 60_000;

/** From when on a wait for the service is told, in milliseconds, unless a setting says otherwise. */
export const TOLD_AFTER_MS = 10_000;

/** Where nobody says another one. */
export const DEFAULT_REGION = "us-east-1";

/** Connects to the service of a bucket, in the region that a setting, a variable or the service says. */
export class Connector {
  readonly #address: S3Location;
  readonly #settings: S3Settings;
  readonly #onSilence: () => void;
  /** Told by the service, where nobody else has. */
  #foundRegion: string | undefined;

  /** @param onSilence called when the service takes long to answer */
  constructor(address: S3Location, settings: S3Settings, onSilence = () => {}) {
    this.#address = address;
    this.#settings = settings;
    this.#onSilence = onSilence;
  }

  /** Whether to go on in a region that the service names. */
  follow(region: string | undefined): boolean {
    if (region === undefined || region === this.#foundRegion) return false;
    if (this.#givenRegion() !== undefined) return false;
    this.#foundRegion = region;
    return true;
  }

  #env(name: string): string | undefined {
    // An empty variable counts as unset.
    return (this.#settings.env ?? ((wanted) => Deno.env.get(wanted)))(name) || undefined;
  }

  #givenRegion(): string | undefined {
    return this.#settings.region || this.#env("AWS_REGION") || this.#env("AWS_DEFAULT_REGION");
  }

  /** Loads the SDK and makes a client; nothing is sent yet. */
  async connect(): Promise<Connection> {
    // Loaded when it is needed: commands without S3 start faster.
    const sdk = await import("@aws-sdk/client-s3");
    const bundle = this.#env("AWS_CA_BUNDLE");
    const { endpoint, credentials } = this.#address;
    const given = this.#foundRegion ?? this.#givenRegion();
    const config: Sdk.S3ClientConfig = {
      requestHandler: new S3HttpHandler(
        this.#settings.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS,
        bundle === undefined ? undefined : await readBundle(bundle),
        { afterMs: this.#settings.toldAfterMs ?? TOLD_AFTER_MS, tell: this.#onSilence },
      ),
      // Other buckets than this have a name that no certificate covers, or a port.
      forcePathStyle: endpoint !== undefined || this.#address.bucket.includes("."),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      ...(given === undefined ? {} : { region: given }),
      maxAttempts: 1,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      expectContinueHeader: false,
      defaultUserAgentProvider: () => Promise.resolve([["infrahub-backup", "1"]]),
    };
    const client = new sdk.S3Client(config);
    const region = given ?? await client.config.region().catch(() => undefined);
    if (region !== undefined) return { sdk, client: signing(client), region };
    // Neither variables nor files say a region: most services but AWS do not care.
    const regional = new sdk.S3Client({ ...config, region: DEFAULT_REGION });
    return { sdk, client: signing(regional), region: DEFAULT_REGION };
  }
}

/** The client, with bodies signed by their checksums. */
function signing(client: Sdk.S3Client): Sdk.S3Client {
  client.middlewareStack.add((next) => (args) => {
    if (isHttpRequest(args.request)) signByChecksum(args.request);
    return next(args);
  }, { step: "build", name: "signByChecksum", priority: "low" });
  return client;
}

function isHttpRequest(request: unknown): request is CheckedRequest {
  return typeof request === "object" && request !== null && "protocol" in request &&
    "hostname" in request && "headers" in request;
}

async function readBundle(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new S3Error(`Cannot read the certificates that AWS_CA_BUNDLE names: ${path}`, {
      cause: error,
    });
  }
}
