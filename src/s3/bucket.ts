import type * as Sdk from "@aws-sdk/client-s3";
import { DEFAULT_REGION } from "./_connection.ts";
import { Requests } from "./_requests.ts";
import { ServiceWrites } from "./_writes.ts";
import { isKind } from "./errors.ts";
import type { S3Location } from "./location.ts";
import { S3Objects } from "./objects.ts";
import type { S3Settings } from "./settings.ts";
import { S3Uploads } from "./uploads.ts";

/**
 * A bucket. Everything is tried again that is worth it; what then fails is an
 * {@linkcode S3RequestError} that says what to do.
 *
 * Every method, those of the objects and uploads included, takes, first, what it is done for, as the
 * beginning of an error's message: "Cannot read packfile 12ab".
 */
export class S3Bucket {
  readonly address: S3Location;
  readonly objects: S3Objects;
  readonly uploads: S3Uploads;
  readonly #requests: Requests;

  /** Connects to nothing yet. */
  constructor(address: S3Location, settings: S3Settings = {}) {
    this.address = address;
    this.#requests = new Requests(address, settings);
    // What one of them learns of the service, both go by.
    const writes = new ServiceWrites(this.#requests);
    this.objects = new S3Objects(this.#requests, writes);
    this.uploads = new S3Uploads(this.#requests, writes, this.objects);
  }

  /** Makes the bucket; one that is there is fine. */
  async create(what: string): Promise<void> {
    try {
      await this.#requests.run(what, async ({ sdk, client, region }) => {
        await client.send(
          new sdk.CreateBucketCommand({
            Bucket: this.address.bucket,
            ...(region === DEFAULT_REGION || this.address.endpoint !== undefined ? {} : {
              CreateBucketConfiguration: {
                LocationConstraint: region as Sdk.BucketLocationConstraint,
              },
            }),
          }),
        );
      });
    } catch (error) {
      if (!isKind(error, "exists")) throw error;
    }
  }

  /** What the service's clock says, in milliseconds since 1970; undefined where it does not. */
  async serverTimeMs(what: string): Promise<number | undefined> {
    return await this.#requests.run(what, async ({ sdk, client }) => {
      let date: string | undefined;
      const command = new sdk.ListObjectsV2Command({
        Bucket: this.address.bucket,
        Prefix: this.address.prefix,
        MaxKeys: 1,
      });
      command.middlewareStack.add((next) => async (args) => {
        const result = await next(args);
        const { response } = result;
        if (typeof response === "object" && response !== null && "headers" in response) {
          date = Reflect.get(Object(response.headers), "date");
        }
        return result;
      }, { step: "deserialize", priority: "low" });
      await client.send(command);
      return date === undefined ? undefined : Date.parse(date);
    });
  }
}
