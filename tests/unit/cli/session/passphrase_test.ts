import { assertEquals, assertRejects } from "@std/assert";
import { PassphraseError, passphraseProvider } from "../../../../src/cli/session/passphrase.ts";
import { createRootCommand } from "../../../../src/cli/syntax/root_command.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";
import { recordingContext } from "../_support.ts";

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Asks for the passphrase as a command line, variables and a terminal give it. */
async function passphrase(
  { argv = [], env = {}, typed = [], purpose = "open" }: {
    argv?: readonly string[];
    env?: Readonly<Record<string, string>>;
    typed?: readonly string[];
    purpose?: "open" | "create";
  },
): Promise<string | undefined> {
  const answers = typed.map(utf8);
  const context = recordingContext(env, { askSecret: () => Promise.resolve(answers.shift()) });
  const globals = createRootCommand(false).parse([...argv], { from: "user" }).opts();
  const given = await passphraseProvider({ context, globals })(purpose);
  return given === undefined ? undefined : new TextDecoder().decode(given);
}

Deno.test("the passphrase comes from the first source that is set", async () => {
  await using directory = await TemporaryDirectory.make();
  await Deno.mkdir(directory.at("credentials"));
  await Deno.writeTextFile(directory.at("option"), "by the option\n");
  await Deno.writeTextFile(directory.at("variable"), "by the variable's file\r\n");
  const credential = directory.at("credentials/infrahub-backup-passphrase");
  await Deno.writeTextFile(credential, "by systemd");
  const argv = ["--passphrase-file", directory.at("option")];
  const file = { INFRAHUB_BACKUP_PASSPHRASE_FILE: directory.at("variable") };
  const credentials = { CREDENTIALS_DIRECTORY: directory.at("credentials") };
  const variable = { INFRAHUB_BACKUP_PASSPHRASE: "by the variable" };
  const typed = ["by hand"];
  const all = { ...file, ...credentials, ...variable };
  assertEquals(await passphrase({ argv, env: all, typed }), "by the option");
  assertEquals(await passphrase({ env: all, typed }), "by the variable's file");
  assertEquals(await passphrase({ env: { ...credentials, ...variable }, typed }), "by systemd");
  assertEquals(await passphrase({ env: variable, typed }), "by the variable");
  assertEquals(await passphrase({ typed }), "by hand");
  // An empty variable is none; so is a directory of credentials for something else.
  const empty = { INFRAHUB_BACKUP_PASSPHRASE_FILE: "", INFRAHUB_BACKUP_PASSPHRASE: "" };
  assertEquals(await passphrase({ env: empty, typed }), "by hand");
  await Deno.remove(credential);
  assertEquals(await passphrase({ env: { ...credentials, ...variable } }), "by the variable");
});

Deno.test("a passphrase in a file is all of it but one line end", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = directory.at("file");
  const argv = ["--passphrase-file", path];
  for (
    const [content, expected] of [
      ["a b", "a b"],
      ["a b\n", "a b"],
      ["a b\r\n", "a b"],
      [" a b \n\n", " a b \n"],
      ["x\r", "x\r"],
      ["ünïcode", "ünïcode"],
    ] as const
  ) {
    await Deno.writeTextFile(path, content);
    assertEquals(await passphrase({ argv }), expected);
  }
});

Deno.test("a source that is set but cannot be used is an error, and no other one is tried", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = directory.at("file");
  const env = { INFRAHUB_BACKUP_PASSPHRASE: "another" };
  const refused = (argv: readonly string[], text: string) =>
    assertRejects(() => passphrase({ argv, env }), PassphraseError, text);
  await refused(["--passphrase-file", path], "cannot read the passphrase");
  await refused(["--passphrase-file", directory.path], "cannot read the passphrase");
  for (const content of ["", "\n", "\r\n"]) {
    await Deno.writeTextFile(path, content);
    await refused(["--passphrase-file", path], "it is empty");
  }
  await Deno.writeFile(path, new Uint8Array(5000));
  await refused(["--passphrase-file", path], "over 4096 bytes");
  await assertRejects(
    () => passphrase({ argv: ["--passphrase-file="], env }),
    Error,
    "--passphrase-file needs the name of a file",
  );
});

Deno.test("a passphrase for a new repository is asked for twice", async () => {
  const purpose = "create";
  assertEquals(await passphrase({ purpose, typed: ["twice", "twice"] }), "twice");
  for (const typed of [["twice", "twixe"], ["twice", "twic"], ["twice"]]) {
    await assertRejects(
      () => passphrase({ purpose, typed }),
      PassphraseError,
      "the two passphrases are not the same",
    );
  }
  // Not where it comes from elsewhere.
  const env = { INFRAHUB_BACKUP_PASSPHRASE: "once" };
  assertEquals(await passphrase({ purpose, env }), "once");
});

Deno.test("without a terminal and any other source the error names them", async () => {
  for (
    const [purpose, text] of [["open", "it is encrypted"], ["create", "to be encrypted"]] as const
  ) {
    const error = await assertRejects(() => passphrase({ purpose }), PassphraseError, text);
    for (const source of ["--passphrase-file", "INFRAHUB_BACKUP_PASSPHRASE_FILE"]) {
      assertEquals(error.message.includes(source), true);
    }
  }
});
