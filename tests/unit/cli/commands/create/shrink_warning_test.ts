import { assertEquals, assertStringIncludes } from "@std/assert";
import { warnOfShrinkage } from "../../../../../src/cli/commands/create/shrink_warning.ts";
import type { Session } from "../../../../../src/cli/session/session.ts";
import { recordingReporter } from "../../../infrahub/_support.ts";
import { recordingContext } from "../../_support.ts";

const SHRINKAGE = {
  what: "neo4j",
  bytes: 1,
  earlierBytes: 100,
  earlierBackupId: "20260101_000000",
} as const;

function makeSession() {
  const codes: number[] = [];
  const reporter = recordingReporter();
  const session: Session = {
    context: recordingContext(),
    globals: {
      logFormat: "text",
      logLevel: "info",
      backend: "plakar",
      s3Region: "us-east-1",
    } as Session["globals"],
    reporter,
    command: "create",
    json: false,
    isGiven: () => false,
    exitWith: (code) => void codes.push(code),
    giveUp: () => Promise.resolve(),
    completed: () => {},
  };
  return { session, codes, lines: reporter.lines };
}

Deno.test("warnOfShrinkage warns, and has the program exit with 3", async () => {
  const { session, codes, lines } = makeSession();
  const found = await warnOfShrinkage(session, () => Promise.resolve([SHRINKAGE]));
  assertEquals([found, codes, lines.length], [[SHRINKAGE], [3], 1]);
  assertEquals(await warnOfShrinkage(session, () => Promise.resolve([])), []);
  assertEquals(codes, [3]);
});

Deno.test("warnOfShrinkage does not fail a backup that cannot be compared", async () => {
  const { session, codes, lines } = makeSession();
  const failing = () => Promise.reject(new Error("unreadable"));
  assertEquals(await warnOfShrinkage(session, failing), []);
  assertEquals(codes, []);
  assertStringIncludes(lines.join("\n"), "warn Could not compare the backup");
});
