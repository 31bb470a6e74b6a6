import { assertEquals } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import {
  exchangeBack,
  lookAtStage,
  StagedDatabase,
} from "../../../../src/infrahub/neo4j/_staged_database.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";
import { withTempDirectory } from "../_support.ts";

const CREDENTIALS = { database: "graph", username: "me", password: new Secret("hush") };

/** Fails at the call of that number, and counts the calls in a file. */
const MV = `#!/bin/sh
n=$(($(cat "$COUNT") + 1))
echo "$n" >"$COUNT"
[ "$n" -ne "$FAIL_AT" ] || exit 1
exec /bin/mv "$@"
`;

interface Bench {
  readonly root: string;
  /** What is where: `d/graph: old`. */
  files(): Promise<string[]>;
  /** Loads and exchanges; `mv` fails when it is called for that time. */
  exchange(failAt?: number): Promise<{ replaced: boolean; error: unknown; output: string }>;
  /** Looks whether it is exchanged. */
  look(): Promise<string>;
  /** Exchanges back, as another process would. */
  back(): Promise<void>;
  /** Path of a directory by what it is: `d/databases/staged`. */
  path(shown: string): string;
}

/** The directories of a server with one database, and a staged one beside it. */
async function withBench(action: (bench: Bench) => Promise<void>): Promise<void> {
  await withTempDirectory(async (root) => {
    await Deno.mkdir(`${root}/bin`);
    await Deno.writeTextFile(`${root}/bin/mv`, MV, { mode: 0o755 });
    await Deno.mkdir(`${root}/watchdog`);
    await Deno.writeTextFile(`${root}/watchdog/armed`, "");
    for (const directory of ["d/databases", "t"]) {
      await Deno.mkdir(`${root}/${directory}/graph`, { recursive: true });
      await Deno.writeTextFile(`${root}/${directory}/graph/data`, `old ${directory}`);
    }
    const environment = new FakeEnvironment()
      .on(
        "database",
        "SHOW SETTINGS",
        `name, value\n"server.directories.data", "${root}/d"\n` +
          `"server.directories.transaction.logs.root", "${root}/t"`,
      )
      .on("database", /^ls -A/, "");
    const { deployment } = fakeDeployment(environment);
    const journal = new UndoJournal(deployment);
    const staged = await StagedDatabase.prepare(deployment, CREDENTIALS, journal, "graph");
    for (const directory of ["d/databases", "t"]) {
      await Deno.mkdir(`${root}/${directory}/${staged.name}`);
      await Deno.writeTextFile(`${root}/${directory}/${staged.name}/data`, `new ${directory}`);
    }
    const files = async () => {
      const found: string[] = [];
      for (const directory of ["d/databases", "t"]) {
        for await (const { name } of Deno.readDir(`${root}/${directory}`)) {
          const text = await Deno.readTextFile(`${root}/${directory}/${name}/data`);
          const shown = name.replace(staged.name, "staged").replace(/[0-9a-f]{8}$/, "…");
          found.push(`${directory}/${shown}: ${text}`);
        }
      }
      return found.sort();
    };
    const exchange = async (failAt = 0) => {
      await Deno.writeTextFile(`${root}/count`, "0");
      let output = "";
      environment.on("database", "infrahub-exchange", async ({ argv }) => {
        const [program = "", ...args] = argv;
        const result = await new Deno.Command(program, {
          args,
          env: {
            PATH: `${root}/bin:${Deno.env.get("PATH")}`,
            COUNT: `${root}/count`,
            FAIL_AT: String(failAt),
          },
        }).output();
        output = new TextDecoder().decode(result.stderr).trim();
        if (!result.success) throw failure(argv, result.code, output);
        return "";
      });
      let replaced = false;
      let error: unknown;
      try {
        await staged.exchange(
          deployment,
          { watchdogDirectory: `${root}/watchdog`, thaw: () => Promise.resolve() },
          () => replaced = true,
          { name: "put it back", run: () => Promise.resolve() },
        );
      } catch (caught) {
        error = caught;
      }
      return { replaced, error, output };
    };
    const real = async ({ argv: [program = "", ...args] }: { argv: readonly string[] }) => {
      const { code, stdout } = await new Deno.Command(program, { args }).output();
      if (code !== 0) throw failure([program, ...args], code, "");
      return new TextDecoder().decode(stdout).trimEnd();
    };
    environment.on("database", /infrahub-(look|put-back)/, real);
    const { facts } = staged;
    const frozen = { watchdogDirectory: `${root}/watchdog`, thaw: () => Promise.resolve() };
    await action({
      root,
      files,
      exchange,
      look: () => lookAtStage(deployment, facts),
      back: () => exchangeBack(deployment, facts, frozen),
      path: (shown) =>
        `${root}/${shown.replace("staged", facts.stage).replace(/graph\.before$/, facts.former)}`,
    });
    assertEquals(
      Array.from(Deno.readDirSync(`${root}/watchdog`)).some(({ name }) => name === "busy"),
      false,
      "the watchdog is free to go on",
    );
  });
}

const BEFORE = [
  "d/databases/graph: old d/databases",
  "d/databases/staged: new d/databases",
  "t/graph: old t",
  "t/staged: new t",
];

Deno.test("StagedDatabase.exchange() puts the loaded database in the place of the one in use", async () => {
  await withBench(async ({ files, exchange }) => {
    assertEquals(await exchange(), { replaced: true, error: undefined, output: "" });
    assertEquals(await files(), [
      "d/databases/graph.before-…: old d/databases",
      "d/databases/graph: new d/databases",
      "t/graph.before-…: old t",
      "t/graph: new t",
    ]);
  });
});

Deno.test("StagedDatabase.exchange() takes the place of nothing, too", async () => {
  await withBench(async ({ root, files, exchange }) => {
    await Deno.remove(`${root}/d/databases/graph`, { recursive: true });
    await Deno.remove(`${root}/t/graph`, { recursive: true });
    assertEquals((await exchange()).error, undefined);
    assertEquals(await files(), ["d/databases/graph: new d/databases", "t/graph: new t"]);
  });
});

Deno.test("StagedDatabase.exchange() changes nothing when a rename fails", async (t) => {
  for (const failAt of [1, 2, 3, 4]) {
    await t.step(`the ${failAt}th`, async () => {
      await withBench(async ({ files, exchange }) => {
        const { replaced, error } = await exchange(failAt);
        assertEquals([replaced, error instanceof DeploymentError], [false, true]);
        assertEquals(await files(), BEFORE);
      });
    });
  }
});

Deno.test("StagedDatabase.exchange() changes nothing when Neo4j is not held any more", async () => {
  await withBench(async ({ root, files, exchange }) => {
    await Deno.remove(`${root}/watchdog/armed`);
    const { replaced, output } = await exchange();
    assertEquals([replaced, output], [false, "Neo4j is not held any more"]);
    assertEquals(await files(), BEFORE);
  });
});

Deno.test("StagedDatabase.exchange() changes nothing when nothing was loaded", async () => {
  await withBench(async ({ root, files, exchange }) => {
    for (const directory of [`${root}/d/databases`, `${root}/t`]) {
      for await (const { name } of Deno.readDir(directory)) {
        if (name !== "graph") await Deno.remove(`${directory}/${name}`, { recursive: true });
      }
    }
    const { replaced, output } = await exchange();
    assertEquals([replaced, output.endsWith("is not there")], [false, true]);
    assertEquals(await files(), ["d/databases/graph: old d/databases", "t/graph: old t"]);
  });
});

Deno.test("an exchange is taken back by another process, whole or half, and once", async (t) => {
  await t.step("whole", async () => {
    await withBench(async ({ files, exchange, look, back }) => {
      assertEquals(await look(), "before");
      await exchange();
      assertEquals(await look(), "after");
      await back();
      assertEquals(await files(), BEFORE);
      assertEquals(await look(), "before");
      await back();
      assertEquals(await files(), BEFORE);
    });
  });
  // As a machine that has lost its power leaves it, after each of the four renames but the last.
  const renames = [
    ["t/graph", "t/graph.before"],
    ["t/staged", "t/graph"],
    ["d/databases/graph", "d/databases/graph.before"],
  ] as const;
  for (const count of [1, 2, 3]) {
    await t.step(`after ${count} renames`, async () => {
      await withBench(async ({ files, look, back, path }) => {
        for (const [from, to] of renames.slice(0, count)) await Deno.rename(path(from), path(to));
        assertEquals(await look(), "half");
        await back();
        assertEquals(await files(), BEFORE);
      });
    });
  }
  await t.step("the former database had no logs", async () => {
    await withBench(async ({ root, files, exchange, back }) => {
      await Deno.remove(`${root}/t/graph`, { recursive: true });
      await exchange();
      await back();
      await back();
      assertEquals(await files(), BEFORE.filter((line) => line !== "t/graph: old t"));
    });
  });
});
