import { parseEndpoint } from "./location.ts";
import type { RetryPolicy } from "./_retry.ts";

/** How S3 is reached, beside what the location says. */
export interface S3Settings {
  /**
   * The service's URL.
   *
   * @default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile, or AWS
   */
  readonly endpoint?: string;
  /**
   * The bucket's region. Where nobody says it, the service is asked and believed.
   *
   * @default AWS_REGION, AWS_DEFAULT_REGION, the profile, or us-east-1
   */
  readonly region?: string;
  /**
   * Reads an environment variable. The SDK reads those with credentials by itself.
   *
   * @default the process's own
   */
  readonly env?: (name: string) => string | undefined;
  /** Told what a user should know but need not act on. */
  readonly onWarning?: (message: string) => void;
  /** Once it aborts, nothing is tried again. Requests under way go on: they may be clean-up. */
  readonly signal?: AbortSignal;
  /** @default ten tries in some two minutes */
  readonly retries?: RetryPolicy;
  /**
   * Longest time without a byte of an answer, in milliseconds.
   *
   * @default {60000}
   */
  readonly stallTimeoutMs?: number;
  /**
   * From when on a wait for the service is told, in milliseconds.
   *
   * @default {10000}
   */
  readonly toldAfterMs?: number;
}

/** The configured endpoint: a flag's, or that of the standard AWS variables. */
export function configuredEndpoint(
  { endpoint, env = (name) => Deno.env.get(name) }: S3Settings,
): string | undefined {
  const configured = endpoint || env("AWS_ENDPOINT_URL_S3") || env("AWS_ENDPOINT_URL") || undefined;
  return configured === undefined ? undefined : parseEndpoint(configured).origin;
}
