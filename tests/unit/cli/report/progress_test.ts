import { assertEquals } from "@std/assert";
import { describeProgress, ProgressTracker } from "../../../../src/cli/report/progress.ts";
import { ProgressBars } from "../../../../src/cli/report/progress_bars.ts";
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

/** A terminal, as much of one as bars need: lines, erased from the cursor's line on. */
function makeTerminal(columns = 100, coloured = false) {
  let screen = "";
  let raw = "";
  const write = (text: string) => {
    raw += text;
    for (const part of text.replaceAll("\x1b", "␛").split(/(␛\[\d+A\r␛\[J)/)) {
      const [, up] = /^␛\[(\d+)A\r␛\[J$/.exec(part) ?? [];
      if (up === undefined) screen += part;
      else {screen = screen.split("\n").slice(0, -1 - Number(up)).map((line) => `${line}\n`).join(
          "",
        );}
    }
  };
  const bars = new ProgressBars({ write, columns: () => columns, coloured });
  return { bars, screen: () => screen, raw: () => raw };
}

Deno.test("bars stay below what is written, and go away", () => {
  const { bars, screen } = makeTerminal();
  const state = { component: "neo4j", bytes: 4 * MIB, bytesNew: MIB, bytesPerSecond: MIB };
  bars.writeAbove("before\n");
  bars.show([state]);
  const line = `neo4j        ${"█".repeat(6)}${"▒".repeat(18)}  4.0 MB, 1.0 MB/s, 25 % new\n`;
  assertEquals(screen(), `before\n${line}`);
  bars.writeAbove("log 1\nlog 2\n");
  assertEquals(screen(), `before\nlog 1\nlog 2\n${line}`);
  bars.show([state, { component: "postgres", bytes: 0, bytesNew: 0, bytesPerSecond: 0 }]);
  assertEquals(screen().split("\n").length, 6);
  bars.clear();
  assertEquals(screen(), "before\nlog 1\nlog 2\n");
  bars.clear();
  bars.writeAbove("after\n");
  assertEquals(screen(), "before\nlog 1\nlog 2\nafter\n");
});

Deno.test("a bar shows how much is done where the whole is known", () => {
  const { bars, screen } = makeTerminal();
  bars.show([{ component: "postgres", bytes: MIB, bytesTotal: 4 * MIB, bytesPerSecond: 0 }]);
  assertEquals(
    screen(),
    `postgres     ${"█".repeat(6)}${"·".repeat(18)}  1.0 MB of 4.0 MB, 0 B/s\n`,
  );
});

Deno.test("bars never wrap, and have colours only where they are wanted", () => {
  const state = { component: "neo4j", bytes: MIB, bytesNew: 0, bytesPerSecond: 0 };
  for (const columns of [1, 10, 40, 60]) {
    const { bars, screen } = makeTerminal(columns);
    bars.show([state]);
    for (const line of screen().split("\n")) assertEquals(line.length < Math.max(2, columns), true);
  }
  const plain = makeTerminal(100, false);
  plain.bars.show([state]);
  assertEquals(plain.raw().includes("\x1b["), false);
  const coloured = makeTerminal(100, true);
  coloured.bars.show([state]);
  assertEquals(coloured.raw().includes("\x1b[36m"), true);
});
