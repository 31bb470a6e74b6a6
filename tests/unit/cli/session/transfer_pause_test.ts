import { assertEquals } from "@std/assert";
import { pauseForTransfer } from "../../../../src/cli/session/transfer_pause.ts";
import { recordingReporter } from "../../infrahub/_support.ts";
import { recordingContext } from "../_support.ts";

Deno.test("pauseForTransfer waits as long as it is told, and says nothing for no time", async () => {
  const context = recordingContext();
  const reporter = recordingReporter();
  await pauseForTransfer({ context, reporter }, 0, "hint");
  assertEquals([context.clock.now(), reporter.lines.length], [0, 0]);
  await pauseForTransfer({ context, reporter }, 5_000, "hint");
  assertEquals([context.clock.now(), reporter.lines.length], [5_000, 2]);
});
