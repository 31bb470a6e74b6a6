import { assertThrows } from "@std/assert";
import { DamagedDumpError } from "../../../../src/infrahub/errors.ts";
import type { DumpInspector } from "../../../../src/infrahub/dump/inspector.ts";
import { dumpInspector } from "../../../../src/infrahub/dump/verification.ts";

const FIXTURES = new URL("../../../fixtures/dumps/", import.meta.url);
/** A dump that real programs have written. */
export const read = (name: string) => Deno.readFileSync(new URL(name, FIXTURES));
export const postgres = () => dumpInspector("postgres", "community");
export const community = () => dumpInspector("neo4j", "community");
export const enterprise = () => dumpInspector("neo4j", "enterprise");

/** Shows all of a dump to an inspector, in pieces. */
export function inspect(
  inspector: DumpInspector,
  bytes: Uint8Array,
  pieceBytes = bytes.byteLength,
) {
  for (let at = 0; at < bytes.byteLength; at += Math.max(1, pieceBytes)) {
    // A copy that is wiped afterwards: whoever feeds an inspector reuses the buffer.
    const piece = bytes.slice(at, at + Math.max(1, pieceBytes));
    inspector.observe(piece);
    piece.fill(0xaa);
  }
  return inspector.finish();
}

/** What an inspector says against a dump. */
export function problemOf(inspector: DumpInspector, bytes: Uint8Array): string {
  return assertThrows(() => inspect(inspector, bytes), DamagedDumpError).message;
}

/** A dump behind the letters that some versions of Neo4j put there. */
export const prefixed = (prefix: string, bytes: Uint8Array) => {
  const start = new TextEncoder().encode(prefix);
  const whole = new Uint8Array(start.byteLength + bytes.byteLength);
  whole.set(start);
  whole.set(bytes, start.byteLength);
  return whole;
};
