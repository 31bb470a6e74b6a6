import { assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { InvalidSecretError } from "../../../../src/environment/mod.ts";
import { secretInput } from "../../../../src/environment/command/secret_input.ts";

function canRun(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--help"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}

const SHELLS: readonly string[][] = [["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"]]
  .filter(([program = ""]) => canRun(program));

/** What a shell's command sees of a secret, and of the data after it. */
async function seen(shell: readonly string[], value: string, data: Uint8Array) {
  const script = 'printf "%s\\n" "$SECRET" "${#OTHER}" >&2; exec cat';
  const secret = secretInput(["sh", "-c", script], { SECRET: value, OTHER: "12345" });
  if (secret === undefined) throw new Error("there is a secret");
  const [program = "", ...first] = shell;
  const child = new Deno.Command(program, {
    args: [...first, ...secret.argv.slice(1)],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // In one piece, so that a shell that reads ahead would take of the data.
  const all = new Uint8Array(secret.input.length + data.length);
  all.set(secret.input);
  all.set(data, secret.input.length);
  const written = writer.write(all).then(() => writer.close());
  const { stdout, stderr } = await child.output();
  await written;
  return { value: new TextDecoder().decode(stderr), data: stdout };
}

Deno.test("secretInput hands over values as they are and takes nothing of the data", async (t) => {
  const values = [
    "plain",
    " spaces at both ends  ",
    "\ttab\t",
    `quotes ' " and \\ backslash \\n`,
    "$HOME `id` $(id) * ; & | #",
    "-n",
    "",
    "carriage\rreturn\r",
    "päßwörd 密码 🔑 \u0081\u0088",
  ];
  const data = crypto.getRandomValues(new Uint8Array(60_000));
  for (const shell of SHELLS) {
    for (const value of values) {
      await t.step(`${shell.join(" ")}: ${JSON.stringify(value)}`, async () => {
        const got = await seen(shell, value, data);
        assertEquals(got.value, `${value}\n5\n`);
        assertEquals(got.data, data);
      });
    }
  }
});

Deno.test("secretInput hands over any text without a line break", async () => {
  const text = fc.string({ unit: "grapheme-composite" })
    .filter((value) => !/[\n\0]/.test(value));
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom(...SHELLS), async (value, shell) => {
      assertEquals((await seen(shell, value, new Uint8Array(0))).value, `${value}\n5\n`);
    }),
    { numRuns: 60 },
  );
});

Deno.test("secretInput puts no value into the arguments", () => {
  const secret = secretInput(["pg_dump", "-Fc"], { PGPASSWORD: "s3cr3t" });
  assertEquals(secret?.argv.slice(-3), ["sh", "pg_dump", "-Fc"]);
  assertFalse(secret?.argv.join(" ").includes("s3cr3t"));
  assertEquals(secretInput(["pg_dump"], {}), undefined);
  assertEquals(secretInput(["pg_dump"]), undefined);
});

Deno.test("secretInput's command fails and is not started when the input is cut", async () => {
  const secret = secretInput(["echo", "started"], { A: "1", B: "2" });
  const child = new Deno.Command("sh", {
    args: secret?.argv.slice(1) ?? [],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(secret?.input.slice(0, 3) ?? new Uint8Array(0));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  assertEquals([code, stdout.length], [1, 0]);
  assertStringIncludes(new TextDecoder().decode(stderr), "secrets did not arrive");
});

Deno.test("secretInput refuses what no shell can take, without telling it", () => {
  for (const value of ["two\nlines", "nul\0"]) {
    const error = assertThrows(() => secretInput(["true"], { KEY: value }), InvalidSecretError);
    assertStringIncludes(error.message, "the value of KEY");
    assertFalse(error.message.includes(value));
  }
  for (const name of ["", "1A", "A-B", "A;id", "A B"]) {
    assertThrows(() => secretInput(["true"], { [name]: "v" }), InvalidSecretError);
  }
});
