/**
 * Encrypted repositories by the command line.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Bench, exists, filesBelow, type Outcome } from "./_bench.ts";

const PASSPHRASE = "a passphrase that nobody may see";
const PASSPHRASE_VARIABLE = { env: { INFRAHUB_BACKUP_PASSPHRASE: PASSPHRASE } };

function createArguments(bench: Bench, ...options: string[]): string[] {
  return ["create", "from-files", "--neo4j-path", bench.neo4j, ...options];
}

/** Every file below a directory, with its content's digest. */
async function contentOf(directory: string): Promise<string[]> {
  const lines: string[] = [];
  for (const path of await filesBelow(directory)) {
    const content = await Deno.readFile(path);
    const digest = createHash("sha256").update(content).digest("hex");
    lines.push(`${path} ${digest}`);
  }
  return lines.sort();
}

Deno.test("an encrypted backup comes back with its passphrase, and with no other", async (t) => {
  await using bench = await Bench.create();
  const file = `${bench.root}/passphrase`;
  await Deno.writeTextFile(file, `${PASSPHRASE}\n`);
  const outcomes: Outcome[] = [];
  const options = { ...PASSPHRASE_VARIABLE };

  await t.step("it is created", async () => {
    const created = await bench.succeed(createArguments(bench, "--encrypt"), options);
    outcomes.push(created);
    assertStringIncludes(created.stderr, "whoever loses its passphrase loses the backups in it");
  });
  const before = await contentOf(bench.repository);

  await t.step("it cannot be opened without", async () => {
    const list = ["snapshots", "list", "--log-level=debug"];
    const refused = async (text: string, args: readonly string[], env = {}) => {
      const outcome = await bench.run([...list, ...args], { env });
      outcomes.push(outcome);
      assertEquals([outcome.code, outcome.stdout], [1, ""]);
      assertStringIncludes(
        outcome.stderr,
        `failed to open plakar repository ${bench.repository}: `,
      );
      assertStringIncludes(outcome.stderr, text);
    };
    await refused("it is encrypted, and no passphrase was given", []);
    await refused("the passphrase is wrong", [], {
      INFRAHUB_BACKUP_PASSPHRASE: `${PASSPHRASE}!`,
    });
    await refused("cannot read the passphrase", ["--passphrase-file", "/nowhere/at/all"]);
    const config = await Deno.readFile(`${bench.repository}/CONFIG`);
    await Deno.writeFile(`${bench.repository}/CONFIG`, config.with(-1, config.at(-1)! ^ 1));
    await refused("CONFIG is damaged", ["--passphrase-file", file]);
    await Deno.writeFile(`${bench.repository}/CONFIG`, config);
    assertEquals(await contentOf(bench.repository), before);
  });

  await t.step("it is listed, checked and restored", async () => {
    const arg = ["--passphrase-file", file];
    for (
      const args of [["snapshots", "list"], ["snapshots", "check"], [
        "snapshots",
        "list",
        "--log-format=json",
      ]]
    ) {
      outcomes.push(await bench.succeed([...args, ...arg, "--log-level=debug"]));
    }
    const out = `${bench.root}/out`;
    outcomes.push(await bench.succeed(["restore", "--to", out, ...arg]));
    await Deno.mkdir(`${out}/unpacked`);
    const unpack = ["-xf", `${out}/neo4j-backup.tar`, "-C", `${out}/unpacked`];
    await new Deno.Command("tar", { args: unpack }).output();
    const diff = await new Deno.Command("diff", {
      args: ["-r", bench.neo4j, `${out}/unpacked/infrahubops`],
    }).output();
    assertEquals(diff.code, 0);
    assertEquals(await contentOf(bench.repository), before);
  });

  await t.step("it is added to, with or without --encrypt", async () => {
    for (const more of [[], ["--encrypt"]]) {
      const outcome = await bench.succeed(createArguments(bench, ...more), options);
      outcomes.push(outcome);
      assert(!outcome.stderr.includes("whoever loses"));
    }
  });

  await t.step("the passphrase is nowhere", async () => {
    for (const { stdout, stderr } of outcomes) assert(!(stdout + stderr).includes(PASSPHRASE));
    for (const folder of [bench.repository, `${bench.root}/cache`]) {
      for (const path of await filesBelow(folder)) {
        const text = new TextDecoder("latin1").decode(await Deno.readFile(path));
        assert(!text.includes(PASSPHRASE), path);
        assert(!text.includes("infrahub_backup"), `${path} shows what it holds`);
      }
    }
  });
});

Deno.test("a repository that would not be encrypted is refused where encryption is asked for", async () => {
  await using bench = await Bench.create();
  const args = createArguments(bench);
  const failed = (verb: string) => `failed to ${verb} plakar repository ${bench.repository}: `;
  const short = { env: { INFRAHUB_BACKUP_PASSPHRASE: "eleven char" } };
  await bench.fail([...args, "--encrypt"], /it is to be encrypted, and no passphrase was given/);
  await bench.fail(
    [...args, "--encrypt"],
    `${failed("create")}The passphrase is too short: a new repository needs at least 12 characters`,
    short,
  );
  await bench.fail(
    [...args, "--passphrase-file", "/nowhere"],
    `${failed("create")}a passphrase was given, but not --encrypt: nothing would be encrypted`,
  );
  assertEquals(await exists(bench.repository), false);
  await bench.succeed(args);
  const before = await contentOf(bench.repository);
  await bench.fail(
    [...args, "--encrypt"],
    `${failed("open")}it is not encrypted, and cannot be encrypted any more; ` +
      "use another repository",
    PASSPHRASE_VARIABLE,
  );
  assertEquals(await contentOf(bench.repository), before);
});
