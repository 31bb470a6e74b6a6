import { assertEquals } from "@std/assert";
import { ProgressBars } from "../../../../src/cli/report/progress_bars.ts";

const MIB = 1 << 20;

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
