import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { UndoFailedError } from "../../../../src/infrahub/mod.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { fakeDeployment } from "../fake_environment.ts";

function journalWithLog() {
  const { deployment, clock, lines } = fakeDeployment();
  const done: string[] = [];
  const journal = new UndoJournal(deployment);
  const push = (name: string, run = () => Promise.resolve(), harmless = false) =>
    journal.push({
      name,
      harmless,
      run: () => {
        done.push(name);
        return run();
      },
    });
  return { journal, push, done, lines, clock };
}

Deno.test("UndoJournal.undo() goes from the newest to the oldest", async () => {
  const { journal, push, done } = journalWithLog();
  await push("a");
  await push("b");
  await push("c");
  assertEquals(journal.pending, ["c", "b", "a"]);
  const results = await journal.undo();
  assertEquals(done, ["c", "b", "a"]);
  assertEquals(results.map(({ name }) => name), ["c", "b", "a"]);
  assertEquals(journal.pending, []);
});

Deno.test("UndoJournal.undo() goes on after a failure and keeps that action", async () => {
  const { journal, push, done, lines } = journalWithLog();
  const problem = new Error("no");
  await push("a");
  await push("b", () => Promise.reject(problem));
  await push("c");
  const results = await journal.undo();
  assertEquals(done, ["c", "b", "a"]);
  assertEquals(results[1], { name: "b", harmless: false, error: problem });
  assertEquals(journal.pending, ["b"]);
  assertEquals(lines.includes("warn Could not b: no"), true);
});

Deno.test("UndoJournal.undo() does not wait for ever for an action that ignores its signal", async () => {
  const { deployment } = fakeDeployment();
  const journal = new UndoJournal({
    reporter: deployment.reporter,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
  });
  const signals: AbortSignal[] = [];
  await journal.push({
    name: "hang",
    timeoutMs: 90_000,
    run: (signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const [result] = await journal.undo();
  assertStringIncludes(String(result?.error), "took longer than 1m30s");
  assertEquals(signals[0]?.aborted, true);
});

Deno.test("UndoHandle.perform() does it once and takes it off", async () => {
  const { journal, push, done } = journalWithLog();
  const handle = await push("a");
  await Promise.all([handle.perform(), handle.perform()]);
  await handle.perform();
  await journal.undo();
  assertEquals(done, ["a"]);
});

Deno.test("UndoHandle.perform() may be tried again after a failure", async () => {
  const { push, done, journal } = journalWithLog();
  let failures = 1;
  const handle = await push(
    "a",
    () => failures-- > 0 ? Promise.reject(new Error("not yet")) : Promise.resolve(),
  );
  await assertRejects(() => handle.perform(), Error, "not yet");
  assertEquals(journal.pending, ["a"]);
  await handle.perform();
  assertEquals(done, ["a", "a"]);
  assertEquals(journal.pending, []);
});

Deno.test("UndoHandle.forget() leaves things as they are", async () => {
  const { journal, push, done } = journalWithLog();
  await (await push("a")).forget();
  assertEquals(await journal.undo(), []);
  assertEquals(done, []);
});

Deno.test("UndoJournal.protect() undoes and throws the first error, whatever fails after it", async () => {
  const { journal, push, done } = journalWithLog();
  const first = new Error("first");
  const thrown = await assertRejects(() =>
    journal.protect(async () => {
      await push("a", () => Promise.reject(new Error("second")));
      await push("b");
      throw first;
    })
  );
  assertEquals(thrown, first);
  assertEquals(done, ["b", "a"]);
});

Deno.test("UndoJournal.protect() fails when a success leaves something that cannot be undone", async () => {
  const { journal, push } = journalWithLog();
  const error = await assertRejects(
    () =>
      journal.protect(async () => {
        await push("resume Neo4j", () => Promise.reject(new Error("no answer")));
        await push("litter", () => Promise.reject(new Error("busy")), true);
        return await Promise.resolve(1);
      }),
    UndoFailedError,
  );
  assertEquals(error.message, "could not resume Neo4j: no answer");
});

Deno.test("UndoJournal.protect() forgives litter", async () => {
  const { journal, push } = journalWithLog();
  const value = await journal.protect(async () => {
    await push("litter", () => Promise.reject(new Error("busy")), true);
    return await Promise.resolve(1);
  });
  assertEquals(value, 1);
});
