import type { ServiceName } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import type { Deployment } from "./deployment.ts";
import { CACHE, MESSAGE_QUEUE } from "./service_names.ts";

const WIPES: readonly { service: ServiceName; directory: string; what: string }[] = [
  { service: MESSAGE_QUEUE, directory: "/var/lib/rabbitmq", what: "message queue" },
  { service: CACHE, directory: "/data", what: "cache" },
];

/**
 * Removes what cache and message queue have on disk: it belongs to the data that a restore replaces.
 * They must run, and be restarted afterwards. A failure only warns; so does a host, where nothing is
 * removed.
 */
export async function wipeTransientData(
  { environment, reporter, signal }: Deployment,
): Promise<void> {
  if (environment.kind === "host") {
    // The directories are those of the containers' images. On a host they are somebody else's: the
    // services may keep their data anywhere, and `/data` may be anything.
    reporter.warn(
      "The data of cache and message queue is left as it is: on a host it is not known where it " +
        "lies. Empty both by hand where they keep any on disk",
    );
    return;
  }
  for (const { service, directory, what } of WIPES) {
    try {
      await environment.run(service, ["find", directory, "-mindepth", "1", "-delete"], { signal });
    } catch (error) {
      signal.throwIfAborted();
      reporter.warn(`Failed to wipe ${what} data: ${messageOf(error)}`);
    }
  }
}
