import { assert, assertEquals } from "@std/assert";
import * as kloset from "../../../src/kloset/mod.ts";
import { failedToOpen } from "../../../src/kloset/errors.ts";

Deno.test("every error of the engine is a KlosetError that goes by its own name", () => {
  const types = Object.entries(kloset).filter(([name]) => name.endsWith("Error"));
  assert(types.length > 10);
  for (const [name, type] of types) {
    const error = new (type as new (message: string) => Error)("what is wrong");
    assert(error instanceof kloset.KlosetError, name);
    assertEquals([error.name, error.message], [name, "what is wrong"]);
  }
});

Deno.test("ObjectNotFoundError is a StoreError, and CorruptionError is not", () => {
  assert(new kloset.ObjectNotFoundError("gone") instanceof kloset.StoreError);
  assert(!(new kloset.CorruptionError("damaged") instanceof kloset.StoreError));
  assertEquals(new kloset.CorruptionError("damaged").context, {});
});

Deno.test("failedToOpen() names the place", () => {
  assertEquals(failedToOpen({ location: "s3://b" }), 'Cannot open repository "s3://b"');
});
