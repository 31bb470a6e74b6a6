import { assertEquals } from "@std/assert";
import { describeProgress, ProgressTracker } from "../../../../src/cli/report/progress.ts";
import { JumpingClock } from "../../infrahub/fake_environment.ts";

const MIB = 1 << 20;

Deno.test("ProgressTracker measures each component's rate over the last seconds", async () => {
  const clock = new JumpingClock();
  const tracker = new ProgressTracker(clock);
  tracker.update({ component: "neo4j", bytes: 0, bytesNew: 0 });
  await clock.sleep(2_000);
  tracker.update({ component: "neo4j", bytes: 10 * MIB, bytesNew: MIB });
  tracker.update({ component: "postgres", bytes: 1 });
  const [neo4j, postgres] = tracker.states();
  assertEquals([neo4j?.bytesPerSecond, neo4j?.component], [5 * MIB, "neo4j"]);
  assertEquals(postgres?.bytesPerSecond, 0);
  // What was fast a while ago is forgotten.
  for (let second = 0; second < 30; second++) {
    await clock.sleep(1_000);
    tracker.update({ component: "neo4j", bytes: (11 + second) * MIB, bytesNew: MIB });
    tracker.states();
  }
  assertEquals(tracker.states()[0]?.bytesPerSecond, MIB);
});

Deno.test("ProgressTracker begins again when a component does", async () => {
  const clock = new JumpingClock();
  const tracker = new ProgressTracker(clock);
  tracker.update({ component: "neo4j", bytes: 8 * MIB, bytesTotal: 8 * MIB });
  await clock.sleep(4_000);
  tracker.states();
  tracker.update({ component: "neo4j", bytes: 0, bytesTotal: 8 * MIB });
  await clock.sleep(1_000);
  tracker.update({ component: "neo4j", bytes: 2 * MIB, bytesTotal: 8 * MIB });
  assertEquals(tracker.states()[0]?.bytesPerSecond, 2 * MIB);
});

Deno.test("describeProgress tells bytes, rate, and what is new", () => {
  const state = { component: "neo4j", bytes: 3 * MIB, bytesPerSecond: 1.5 * MIB };
  assertEquals(describeProgress(state), "3.0 MB, 1.5 MB/s");
  assertEquals(describeProgress({ ...state, bytesNew: MIB }), "3.0 MB, 1.5 MB/s, 33 % new");
  assertEquals(describeProgress({ ...state, bytesTotal: 4 * MIB }), "3.0 MB of 4.0 MB, 1.5 MB/s");
  assertEquals(
    describeProgress({ ...state, bytes: 0, bytesNew: 0, bytesPerSecond: 0 }),
    "0 B, 0 B/s, 0 % new",
  );
});
