import { assertThrows } from "@std/assert";
import { WeakPassphraseError } from "../../../../src/kloset/mod.ts";
import { assertLongEnough } from "../../../../src/kloset/key/mod.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("assertLongEnough() counts characters, not bytes", () => {
  for (const text of ["", "eleven char", "€".repeat(11), "🎉".repeat(11)]) {
    assertThrows(() => assertLongEnough(utf8(text)), WeakPassphraseError, "at least 12 characters");
  }
  for (const text of ["twelve chars", "€".repeat(12), "🎉".repeat(12)]) {
    assertLongEnough(utf8(text));
  }
});

Deno.test("assertLongEnough() tells nothing of the passphrase", () => {
  const error = assertThrows(() => assertLongEnough(utf8("secret")), WeakPassphraseError);
  if (Deno.inspect(error).includes("secret")) throw new Error("the passphrase is shown");
});
