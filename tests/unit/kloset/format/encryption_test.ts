import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeConfiguration,
  encodeConfiguration,
  FormatError,
} from "../../../../src/kloset/format/mod.ts";
import { encrypted, KDFS } from "./_encryption.ts";
import { toHex } from "./_vectors.ts";

Deno.test("encodeConfiguration writes the encryption part in Go's dialect", () => {
  const [argon2id] = KDFS;
  const encoded = toHex(encodeConfiguration(encrypted(argon2id!)));
  const name = (text: string) =>
    (0xa0 + text.length).toString(16) + toHex(new TextEncoder().encode(text));
  assertEquals(encoded.includes(name("ChunkSize") + "ce00010000"), true);
  assertEquals(
    encoded.includes(
      name("KDFParams") + "83" + name("KDF") + name("ARGON2ID") + name("Salt") +
        "c410e3fd6885957c6bd29e66feba601b62a2" + name("argon2id") + "85" + name("SaltSize") +
        "ce00000010" + name("Time") + "ce00000004" + name("Memory") + "ce00040000" +
        name("Threads") + "cc01" + name("KeyLen") + "ce00000020" + name("Canary") + "c464",
    ),
    true,
  );
});

Deno.test("decodeConfiguration reports an unknown key derivation as such", () => {
  const encoded = encodeConfiguration(encrypted(KDFS[0]!));
  const at = toHex(encoded).indexOf(toHex(new TextEncoder().encode("ARGON2ID"))) / 2;
  encoded[at] = "X".charCodeAt(0);
  assertEquals(assertThrows(() => decodeConfiguration(encoded), FormatError).reason, "version");
});
