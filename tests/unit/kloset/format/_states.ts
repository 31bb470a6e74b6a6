import {
  ResourceType,
  StateEncoder,
  uuidFromString,
  VERSION_1_0_0,
  VERSION_1_1_0,
} from "../../../../src/kloset/format/mod.ts";
import { STATE_SERIAL } from "./_vectors.ts";

const { CHUNK, SNAPSHOT, PACKFILE } = ResourceType;
/** The serial of the states. */
export const SERIAL = uuidFromString(STATE_SERIAL);
/** Two MACs. */
export const A = new Uint8Array(32).fill(0xaa);
export const B = new Uint8Array(32).fill(0xbb);

/** A state with an entry of each kind that its version has. */
export function everyEntry(version: number): Uint8Array {
  const encoder = new StateEncoder(version, A);
  if (version === VERSION_1_1_0) {
    encoder.deleteLocation(CHUNK, A, B);
    encoder.deleteColoured(PACKFILE, B);
    encoder.deletePackfile(B);
  }
  encoder.addLocation({
    type: CHUNK,
    version: VERSION_1_0_0,
    mac: A,
    packfile: B,
    offset: 0x1122334455,
    length: 0x10203040,
  });
  encoder.addColoured(SNAPSHOT, A, 5n);
  encoder.addPackfile(B, A, 6n);
  return encoder.finish(7n, SERIAL);
}
