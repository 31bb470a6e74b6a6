import type { S3Settings } from "../../s3/mod.ts";
import { DEFAULT_S3_REGION } from "../syntax/mod.ts";
import type { Session } from "./session.ts";

/** How S3 is reached, by the options; the standard AWS variables fill what they leave open. */
export function s3Settings({ context, globals, isGiven, reporter }: Session): S3Settings {
  const { s3Endpoint, s3Region } = globals;
  const isRegionGiven = s3Region !== DEFAULT_S3_REGION || isGiven("s3Region") ||
    Boolean(context.env("INFRAHUB_S3_REGION"));
  return {
    ...(s3Endpoint ? { endpoint: s3Endpoint } : {}),
    ...(isRegionGiven && s3Region ? { region: s3Region } : {}),
    env: context.env,
    onWarning: (message) => reporter.warn(message),
    signal: context.signal,
  };
}
