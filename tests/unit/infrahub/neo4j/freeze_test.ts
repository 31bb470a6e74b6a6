import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../../../src/infrahub/mod.ts";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { Neo4jNotHeldError } from "../../../../src/infrahub/neo4j/freeze.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { freezeNeo4j } from "../../../../src/infrahub/neo4j/freeze.ts";
import { stopNeo4jArgv, watchdogArgv } from "../../../../src/infrahub/neo4j/_freeze_scripts.ts";
import { type Answer, failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";
import {
  CLOSES_DATABASES,
  exists,
  impatientClock,
  LocalEnvironment,
  startTimeOf,
  until,
  type Victim,
  watchdogs,
  withVictim,
} from "./_local_neo4j.ts";

const CREDENTIALS = { database: "neo4j", username: "neo4j", password: new Secret("hush") };

function setUp(environment: FakeEnvironment) {
  const { deployment, lines, controller } = fakeDeployment(environment);
  const real = { ...deployment, clock: impatientClock };
  const journal = new UndoJournal(real);
  return { deployment: real, journal, lines, controller };
}

for (const hasBash of [true, false]) {
  Deno.test(`freezeNeo4j() holds a process until it is thawed (${hasBash ? "" : "no "}bash)`, async () => {
    await withVictim(CLOSES_DATABASES, async ({ pidFile, state, ended }) => {
      const environment = new LocalEnvironment(hasBash);
      const { deployment, journal } = setUp(environment);
      const frozen = await freezeNeo4j(deployment, CREDENTIALS, journal, { pidFile });
      assertEquals(state(), "T");
      assertEquals(journal.pending, ["resume Neo4j"]);
      await frozen.thaw();
      await ended;
      assertEquals(journal.pending, []);
      // The watchdog itself has resumed it: the other way was not needed.
      assertEquals(environment.log.filter((line) => line.includes("kill -CONT")), []);
      assertEquals(await exists(environment.directory), false);
      assertEquals(await watchdogs(environment.directory), []);
    });
  });
}

Deno.test("freezeNeo4j() says at once that the race was lost", async () => {
  await withVictim("exit 0", async ({ pid, pidFile }) => {
    const environment = new LocalEnvironment();
    const { deployment, journal, lines } = setUp(environment);
    // No restart policy brings this one back.
    await assertRejects(
      () => freezeNeo4j(deployment, CREDENTIALS, journal, { pidFile }),
      DeploymentError,
      `the neo4j pid file names process ${pid}, which does not exist`,
    );
    const [warning, ...more] = lines.filter((line) => line.startsWith("warn "));
    // Its parent may not have taken note of its end yet.
    assertEquals(
      warning?.replace("has exited", "is gone"),
      `warn Neo4j ended before it could be held (process ${pid} is gone); it is back, trying ` +
        "again (2 of 3)",
    );
    assertEquals(more, []);
    assertEquals(journal.pending, []);
    assertEquals(await exists(environment.directory), false);
    assertEquals(await watchdogs(environment.directory), []);
  });
});

Deno.test("freezeNeo4j() calls the watchdog off when Neo4j does not stop in time", async () => {
  await withVictim(":", async ({ pid, pidFile, state }) => {
    const environment = new LocalEnvironment();
    const { deployment, journal } = setUp(environment);
    await assertRejects(
      () => freezeNeo4j(deployment, CREDENTIALS, journal, { pidFile, stopTimeoutMs: 1_000 }),
      DeploymentError,
      `timed out waiting for neo4j process ${pid} to stop within 1s: it still closes`,
    );
    assertEquals(await exists(environment.directory), false);
    assertEquals(await watchdogs(environment.directory), []);
    // Late, and nobody watches any more.
    await Deno.remove(pidFile);
    assertEquals(state() === "T", false);
    assertEquals(journal.pending, []);
  });
});

Deno.test("freezeNeo4j() resumes Neo4j when it is interrupted while it waits", async () => {
  await withVictim(":", async ({ pidFile, state }) => {
    const environment = new LocalEnvironment();
    const { deployment, journal, controller } = setUp(environment);
    const reason = new DOMException("SIGTERM", "AbortError");
    const frozen = freezeNeo4j(deployment, CREDENTIALS, journal, { pidFile });
    await until("the stop", () => environment.log.some((line) => line.includes(STOP)));
    controller.abort(reason);
    assertEquals(await assertRejects(() => frozen), reason);
    assertEquals(state() === "T", false);
    assertEquals(await watchdogs(environment.directory), []);
    assertEquals(await exists(environment.directory), false);
  });
});

Deno.test("Neo4j is resumed when the program that holds it is killed", async () => {
  await withVictim(CLOSES_DATABASES, async ({ pidFile, state, ended }) => {
    const program = new URL("./_hold_neo4j.ts", import.meta.url);
    const holder = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", program.pathname, pidFile],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = holder.stdout.getReader();
    const directory = new TextDecoder().decode((await reader.read()).value).trim();
    assertEquals(state(), "T");
    assertEquals((await watchdogs(directory)).length > 0, true);
    holder.kill("SIGKILL");
    await holder.status;
    await reader.cancel();
    await ended;
    await until("the watchdog's end", async () => (await watchdogs(directory)).length === 0);
    await until("the removal of its directory", async () => !await exists(directory));
  });
});

/**
 * In place of `sleep`: a second of the watchdog's clock passes when the test says so, or when the
 * clock is taken away, lest this outlive the test.
 */
const SLEEP = `#!/bin/sh
[ "$1" = 1 ] || exec /bin/sleep "$@"
until [ -e "$TIME_PASSES" ] || [ ! -e "$0" ]; do /bin/sleep 0.01; done
`;

/** Runs the watchdog itself; its standard input comes from `cat`, which plays the client. */
async function withWatchdog(
  { pid, pidFile }: Victim,
  limits: { deadlineSeconds: number; silenceSeconds: number },
  action: (watchdog: {
    directory: string;
    client: Deno.ChildProcess;
    output: Promise<Deno.CommandOutput>;
    stop(): Promise<void>;
    /** Until then, no time passes for the watchdog. */
    letTimePass(): Promise<void>;
    pid: number;
  }) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infrahub_watchdog_" });
  const fifo = `${directory}.fifo`;
  const clock = `${directory}.clock`;
  await Deno.mkdir(clock);
  await Deno.writeTextFile(`${clock}/sleep`, SLEEP, { mode: 0o755 });
  const [program = "", ...args] = watchdogArgv({
    directory,
    pid,
    pidFile,
    startTime: startTimeOf(pid),
    ...limits,
  });
  assertEquals((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success, true);
  const client = new Deno.Command("sh", {
    args: ["-c", 'exec cat >"$1"', "sh", fifo],
    stdin: "piped",
  }).spawn();
  const child = new Deno.Command("sh", {
    args: ["-c", 'fifo=$1; shift; exec "$@" <"$fifo"', "sh", fifo, program, ...args],
    env: { PATH: `${clock}:${Deno.env.get("PATH")}`, TIME_PASSES: `${clock}/passes` },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  try {
    await action({
      directory,
      client,
      output,
      pid: child.pid,
      letTimePass: () => Deno.writeTextFile(`${clock}/passes`, ""),
      stop: async () => {
        await until("the watchdog", () => exists(`${directory}/ready`));
        const [stop = "", ...stopArgs] = stopNeo4jArgv(directory);
        assertEquals((await new Deno.Command(stop, { args: stopArgs }).output()).success, true);
      },
    });
    await output;
    assertEquals(await exists(directory), false, "the work directory is removed");
  } finally {
    await Deno.remove(`${directory}/armed`).catch(() => {/* It has ended. */});
    await client.stdin.close().catch(() => {/* The client has ended. */});
    await client.status;
    await output;
    // The clock's last second is over, and it ends.
    await Deno.writeTextFile(`${clock}/passes`, "");
    await until("the clock's end", async () => (await watchdogs(directory)).length === 0);
    await Deno.remove(fifo);
    await Deno.remove(clock, { recursive: true });
  }
}

const LONG = { deadlineSeconds: 600, silenceSeconds: 600 };
const said = async (output: Promise<Deno.CommandOutput>) =>
  new TextDecoder().decode((await output).stdout).trim();

Deno.test("the watchdog resumes Neo4j, whatever happens to it", async (t) => {
  const held = (
    name: string,
    limits: typeof LONG,
    end: (
      client: Deno.ChildProcess,
      watchdog: number,
      letTimePass: () => Promise<void>,
    ) => Promise<void> | void,
  ) =>
    t.step(name, () =>
      withVictim(CLOSES_DATABASES, async (victim) => {
        await withWatchdog(victim, limits, async ({ client, stop, output, pid, letTimePass }) => {
          await stop();
          await until("the hold", () => victim.state() === "T");
          await end(client, pid, letTimePass);
          await victim.ended;
          assertEquals(await said(output), `resumed ${victim.pid}`);
        });
      }));
  await held("its input ends", LONG, (client) => client.stdin.close());
  await held("the client is killed", LONG, (client) => client.kill("SIGKILL"));
  await held("it is told to end", LONG, (_client, watchdog) => Deno.kill(watchdog, "SIGTERM"));
  await held(
    "nothing arrives any more",
    { ...LONG, silenceSeconds: 5 },
    (_client, _watchdog, letTimePass) => letTimePass(),
  );

  const unheld = (
    name: string,
    limits: typeof LONG,
    end: (client: Deno.ChildProcess, letTimePass: () => Promise<void>) => Promise<void> | void,
  ) =>
    t.step(name, () =>
      withVictim(":", async (victim) => {
        await withWatchdog(victim, limits, async ({ client, stop, output, letTimePass }) => {
          await stop();
          await end(client, letTimePass);
          assertEquals(await said(output), `resumed ${victim.pid}`);
        });
        await Deno.remove(victim.pidFile);
        assertEquals(victim.state() === "T", false);
      }));
  await unheld(
    "the deadline passes",
    { ...LONG, deadlineSeconds: 5 },
    (_client, letTimePass) => letTimePass(),
  );
  await unheld("the client is killed while it waits", LONG, (client) => client.kill("SIGKILL"));
});

Deno.test("the watchdog waits for what must not be cut off", async () => {
  await withVictim(CLOSES_DATABASES, async (victim) => {
    await withWatchdog(victim, LONG, async ({ directory, client, stop, output }) => {
      await stop();
      await until("the hold", () => victim.state() === "T");
      await Deno.writeTextFile(`${directory}/busy`, "");
      client.kill("SIGKILL");
      await until("the call-off", async () => !await exists(`${directory}/armed`));
      // It would have been resumed within a few milliseconds.
      await systemClock.sleep(500);
      assertEquals(victim.state(), "T");
      await Deno.remove(`${directory}/busy`);
      await victim.ended;
      assertEquals(await said(output), `resumed ${victim.pid}`);
    });
  });
});

Deno.test("the watchdog leaves a process alone that has got the number of Neo4j's", async () => {
  await withVictim("exit 1", async (victim) => {
    const other = { ...victim, pid: victim.pid };
    const directory = await Deno.makeTempDir({ prefix: "infrahub_watchdog_" });
    const [program = "", ...args] = watchdogArgv({
      directory,
      pid: other.pid,
      pidFile: other.pidFile,
      startTime: "1",
      ...LONG,
    });
    const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
    await until("the watchdog", () => exists(`${directory}/ready`));
    const [stop = "", ...stopArgs] = stopNeo4jArgv(directory);
    const stopped = await new Deno.Command(stop, { args: stopArgs, stderr: "null" }).output();
    assertEquals(stopped.success, false);
    await child.stdin.close();
    assertEquals(await said(child.output()), `gone ${other.pid}`);
    assertEquals(victim.state() === "gone", false);
  });
});

/** A container whose Neo4j goes through every step. */
function cooperative(): FakeEnvironment {
  return new FakeEnvironment()
    .on("database", "cypher-shell", "1\n1")
    .on("database", "kill -CONT", "")
    .on("database", /^rm -rf/, "");
}

const STATE = "shift\n  echo";
const LAUNCH = "infrahub-watchdog";
const STOP = '>"$1/stopping"';
const thrice = (...answers: Answer[]) => [...answers, ...answers, ...answers];

Deno.test("freezeNeo4j() always resumes, and names the step that failed", async (t) => {
  const no = failure(["x"], 1, "no");
  const rows: {
    name: string;
    set: (e: FakeEnvironment) => void;
    message: string;
    resumes: boolean;
  }[] = [
    {
      name: "PID file",
      set: (e) => e.on("database", "cat /var/lib/neo4j/run/neo4j.pid", no),
      message: "failed to read neo4j pid file: command",
      resumes: false,
    },
    {
      name: "empty PID file",
      set: (e) => e.on("database", "cat ", ""),
      message: "neo4j pid file is empty",
      resumes: false,
    },
    {
      name: "PID",
      set: (e) => e.on("database", "cat ", "7; rm"),
      message: 'invalid pid "7; rm"',
      resumes: false,
    },
    {
      name: "no such process",
      set: (e) => e.on("database", "cat ", "7").on("database", STATE, "gone"),
      message: "names process 7, which does not exist",
      resumes: false,
    },
    {
      name: "work directory",
      set: (e) =>
        e.on("database", "cat ", "7").on("database", STATE, "S 1 present").on(
          "database",
          /^mkdir -m 700/,
          no,
        ),
      message: "failed to prepare remote work directory: command",
      resumes: true,
    },
    {
      name: "watchdog",
      set: (e) =>
        e.on("database", "cat /var", "7").on("database", STATE, "S 1 present").on(
          "database",
          /^mkdir/,
          "",
        ).on("database", LAUNCH, no),
      message: "failed to start watchdog: command",
      resumes: true,
    },
    {
      name: "SIGTERM",
      set: (e) =>
        e.on("database", "cat /var", "7").on("database", STATE, "S 1 present").on(
          "database",
          /^mkdir/,
          "",
        ).on("database", LAUNCH, "").on("database", STOP, no),
      message: "failed to stop neo4j: command",
      resumes: true,
    },
    {
      name: "another process with the same number",
      set: (e) =>
        e.on("database", "cat /var", "7").on(
          "database",
          STATE,
          ...thrice("S 1 present", "T 2 absent"),
        ).on(
          "database",
          /^mkdir/,
          "",
        ).on("database", LAUNCH, "").on("database", STOP, ""),
      message: "Neo4j ended before it could be held (process 7 is another one now), 3 times in a " +
        "row; nothing was read or written, and Neo4j runs again",
      resumes: true,
    },
    {
      name: "never held",
      set: (e) =>
        e.on("database", "cat /var", "7").on("database", STATE, "S 1 present", "S 1 absent").on(
          "database",
          /^mkdir/,
          "",
        ).on("database", LAUNCH, "").on("database", STOP, ""),
      message: "timed out waiting for neo4j process 7 to stop within 10m0s: its databases are " +
        "closed, but it is not held (state S)",
      resumes: true,
    },
    {
      name: "commands are refused",
      set: (e) => {
        e.on("database", "cat /var", "7").on(
          "database",
          STATE,
          ...thrice("S 1 present", () => {
            e.statuses.set("database", "stopped");
            throw no;
          }),
        ).on("database", /^mkdir/, "").on("database", LAUNCH, "").on("database", STOP, "")
          .onService("start", "database", () => {
            e.statuses.set("database", "running");
            return "";
          });
      },
      message:
        "Neo4j ended before it could be held (service database is stopped), 3 times in a row",
      resumes: true,
    },
  ];
  for (const { name, set, message, resumes } of rows) {
    await t.step(name, async () => {
      const environment = cooperative();
      set(environment);
      const { deployment } = fakeDeployment(environment);
      const journal = new UndoJournal(deployment);
      const error = await assertRejects(
        () => freezeNeo4j(deployment, CREDENTIALS, journal),
        DeploymentError,
      );
      assertStringIncludes(error.message, message);
      assertEquals(environment.log.some((line) => line.includes("kill -CONT")), resumes);
      assertEquals(journal.pending, []);
    });
  }
});

/** A container whose Neo4j can be held; `states` is what a look at its process gives. */
function holdable(...states: Answer[]): FakeEnvironment {
  return new FakeEnvironment()
    .on("database", "cat /var", "7")
    .on("database", STATE, ...states)
    .on("database", /^mkdir/, "")
    .on("database", LAUNCH, "")
    .on("database", STOP, "")
    .on("database", /^rm -rf/, "");
}

Deno.test("freezeNeo4j() tries again when the race was lost", async () => {
  const environment = holdable("S 1 present", "gone", "S 2 present", "Z 2 absent", "S 3 present")
    .on("database", "kill -CONT", "")
    .on("database", "cypher-shell", "1\n1");
  const { deployment, lines } = fakeDeployment(environment);
  const journal = new UndoJournal(deployment);
  const run = environment.run.bind(environment);
  let stops = 0;
  environment.run = (service, argv, options) => {
    const command = argv.join(" ");
    if (command.includes(STOP)) stops++;
    return stops === 3 && command.includes(STATE)
      ? Promise.resolve("T 3 absent")
      : run(service, argv, options);
  };
  const frozen = await freezeNeo4j(deployment, CREDENTIALS, journal);
  assertEquals(stops, 3);
  assertEquals(lines.filter((line) => line.startsWith("warn ")), [
    "warn Neo4j ended before it could be held (process 7 is gone); it is back, trying again (2 of 3)",
    "warn Neo4j ended before it could be held (process 7 has exited); it is back, trying again " +
    "(3 of 3)",
  ]);
  // Each time it was waited for, and each try had a directory of its own.
  assertEquals(environment.log.filter((line) => line.includes("cypher-shell")).length, 2);
  const made = environment.log.filter((line) => line.includes("mkdir"));
  assertEquals(new Set(made).size, 3);
  await frozen.thaw();
  assertEquals(journal.pending, []);
});

Deno.test("freezeNeo4j() does not try again while Neo4j has not come back", async () => {
  const environment = holdable("S 1 present", "gone")
    .on("database", "kill -CONT", "")
    .on("database", "cypher-shell", failure(["cypher-shell"], 1, "no"));
  const { deployment } = fakeDeployment(environment);
  const journal = new UndoJournal(deployment);
  await assertRejects(
    () => freezeNeo4j(deployment, CREDENTIALS, journal),
    Neo4jNotHeldError,
    "Neo4j ended before it could be held (process 7 is gone); nothing was read or written, but it " +
      "has not come back yet",
  );
  assertEquals(environment.log.filter((line) => line.includes(STOP)).length, 1);
  assertEquals(journal.pending, ["resume Neo4j"]);
});

Deno.test("freezeNeo4j() keeps a resumption that failed on the journal", async () => {
  const no = failure(["x"], 1, "no");
  let resumed = false;
  const environment = holdable("S 1 present", "T 1 absent")
    .on("database", "kill -CONT", no, no, no, () => {
      resumed = true;
      return "";
    })
    .on("database", "cypher-shell", () => {
      if (!resumed) throw no;
      return "1\n1";
    });
  const { deployment } = fakeDeployment(environment);
  const journal = new UndoJournal(deployment);
  const frozen = await freezeNeo4j(deployment, CREDENTIALS, journal);
  await assertRejects(
    () => frozen.thaw(),
    DeploymentError,
    'failed to resume neo4j process: command "x" exited with code 1; stderr: no; Neo4j may be ' +
      'frozen until "kill -CONT 7" is run in service database',
  );
  assertEquals(journal.pending, ["resume Neo4j"]);
  assertEquals((await journal.undo()).map(({ error }) => error), [undefined]);
});

Deno.test("freezeNeo4j() takes Neo4j's answer for its resumption where commands are refused", async () => {
  const no = failure(["x"], 1, "is restarting");
  const environment = holdable("S 1 present", "T 1 absent")
    .on("database", "kill -CONT", no)
    .on("database", "cypher-shell", "1\n1");
  const { deployment } = fakeDeployment(environment);
  const journal = new UndoJournal(deployment);
  await (await freezeNeo4j(deployment, CREDENTIALS, journal)).thaw();
  assertEquals(journal.pending, []);
});

Deno.test("freezeNeo4j() stops and starts the service on a host", async () => {
  const environment = new FakeEnvironment("host").on("database", "cypher-shell", "1\n1");
  const { deployment } = fakeDeployment(environment);
  const journal = new UndoJournal(deployment);
  const frozen = await freezeNeo4j(deployment, CREDENTIALS, journal);
  await frozen.thaw();
  assertEquals(environment.log, [
    "stop database",
    "start database",
    "database: cypher-shell -d neo4j --format plain RETURN 1",
  ]);
  assertEquals(environment.find("cypher-shell").secrets, {
    NEO4J_USERNAME: "neo4j",
    NEO4J_PASSWORD: "hush",
  });
});
