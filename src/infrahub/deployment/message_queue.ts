import { messageOf } from "../../errors/mod.ts";
import type { Deployment } from "./deployment.ts";
import { MESSAGE_QUEUE } from "./service_names.ts";

const DIRECTORY = "/var/lib/rabbitmq";

/**
 * Removes what the message queue has on disk: it belongs to the data that a restore replaces. It is
 * started for it where it is down, and has to be restarted afterwards. A failure only warns; so does
 * a host, where nothing is removed.
 */
export async function wipeMessageQueue(deployment: Deployment): Promise<void> {
  const { environment, reporter, signal } = deployment;
  if (environment.kind === "host") {
    // The directory is that of the container's image. On a host the service may keep its data
    // anywhere, and may be somebody else's as well.
    reporter.warn(
      "The message queue is left as it is: on a host it is not known where its data lies. Empty it " +
        "by hand where it keeps any on disk",
    );
    return;
  }
  try {
    if (await environment.status(MESSAGE_QUEUE, signal) === "stopped") {
      await environment.start([MESSAGE_QUEUE], signal);
    }
    await environment.run(MESSAGE_QUEUE, ["find", DIRECTORY, "-mindepth", "1", "-delete"], {
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(`Failed to wipe message queue data: ${messageOf(error)}`);
  }
}
