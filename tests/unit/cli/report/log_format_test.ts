import { assertEquals } from "@std/assert";
import {
  formatJson,
  formatPlain,
  formatTerminal,
  type LogEntry,
} from "../../../../src/cli/report/log_format.ts";
import { formatLocalTime } from "../../../../src/infrahub/mod.ts";

const TIME = new Date("2026-03-18T14:30:02Z");
const STAMP = formatLocalTime(TIME);

function entry(overrides: Partial<LogEntry> = {}): LogEntry {
  return {
    type: "log",
    time: TIME,
    level: "info",
    message: "Backup done",
    fields: {},
    ...overrides,
  };
}

Deno.test("formatPlain sorts the fields and quotes what needs it", async (t) => {
  const rows: [Partial<LogEntry>, string][] = [
    [{}, `level=info msg="Backup done"`],
    [{ level: "warning", message: "Done" }, "level=warning msg=Done"],
    [
      { fields: { repo: "/b/r", backup_id: "20260318_143000", n: 3, ok: true } },
      `level=info msg="Backup done" backup_id=20260318_143000 n=3 ok=true repo=/b/r`,
    ],
    [
      { message: 'a "b"\\\n\t\x01ü', fields: { u: "s3://h", e: "" } },
      `level=info msg="a \\"b\\"\\\\\\n\\t\\x01ü" e= u="s3://h"`,
    ],
    [{ fields: { c: ["a", "b"] } }, `level=info msg="Backup done" c="[a b]"`],
  ];
  for (const [overrides, want] of rows) {
    await t.step(want, () => {
      assertEquals(formatPlain(entry(overrides)), `time="${STAMP}" ${want}\n`);
    });
  }
});

Deno.test("formatTerminal pads the message and colours level and names", () => {
  assertEquals(formatTerminal(entry(), false), `INFO[${STAMP}] Backup done\n`);
  assertEquals(
    formatTerminal(entry({ level: "warning", fields: { a: "b c" } }), false),
    `WARN[${STAMP}] ${"Backup done".padEnd(44)}  a="b c"\n`,
  );
  assertEquals(
    formatTerminal(entry({ fields: { a: 1 } }), true),
    `\x1b[36mINFO\x1b[0m[${STAMP}] ${"Backup done".padEnd(44)}  \x1b[36ma\x1b[0m=1\n`,
  );
});

Deno.test("formatJson writes one object with sorted keys and escaped markup", () => {
  const line = formatJson(entry({ message: "a <b> & c", fields: { z: 1, components: ["x"] } }));
  assertEquals(
    line,
    `{"components":["x"],"level":"info","msg":"a \\u003cb\\u003e \\u0026 c",` +
      `"time":"${STAMP}","type":"log","z":1}\n`,
  );
  assertEquals(JSON.parse(line).msg, "a <b> & c");
});
