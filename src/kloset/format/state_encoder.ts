import { ByteWriter } from "./_byte_writer.ts";
import { type Mac, MAC_BYTES, NIL_MAC } from "./mac.ts";
import { STATE_ENTRY_BYTES, StateEntryType } from "./state.ts";
import { type Uuid, UUID_BYTES } from "./uuid.ts";
import { VERSION_1_1_0 } from "./version.ts";

/** Where an encoded blob lies. */
export interface StateLocation {
  /** Resource type number. */
  readonly type: number;
  /** Version word of the blob. */
  readonly version: number;
  readonly mac: Mac;
  readonly packfile: Mac;
  /** Position in the packfile's body, bytes. */
  readonly offset: number;
  /** Encoded length, bytes. */
  readonly length: number;
}

/**
 * Writes the plain stream of a state. Entries are written in the order in which they are added; the
 * Go library adds deletions, locations, colourings, packfiles, and readers accept any order.
 *
 * There is no method for CONFIGURATION entries: one of them makes version 1.1 of the Go library
 * unable to open the repository.
 */
export class StateEncoder {
  readonly #out = new ByteWriter(4096);
  readonly #version: number;

  /**
   * @param version Version word of the state; the envelope must carry the same.
   * @param parent Id of the state merged last, zero when none. Not stored in states before 1.1.0.
   */
  constructor(version: number, parent: Mac) {
    this.#version = version;
    if (version === VERSION_1_1_0) this.#out.exactBytes(parent, MAC_BYTES);
  }

  /** A blob can be read at this place. The packfile needs an entry of its own in some state. */
  addLocation(location: StateLocation): void {
    const out = this.#out;
    out.u8(StateEntryType.LOCATIONS);
    out.u32le(STATE_ENTRY_BYTES.LOCATIONS);
    out.u8(location.type);
    out.u32le(location.version);
    out.exactBytes(location.mac, MAC_BYTES);
    out.exactBytes(location.packfile, MAC_BYTES);
    out.u64le(location.offset);
    out.u32le(location.length);
    out.u32le(0); // flags
  }

  /** A snapshot or packfile is deleted; `whenNs` is nanoseconds since 1970. */
  addColoured(type: number, mac: Mac, whenNs: bigint): void {
    const out = this.#out;
    out.u8(StateEntryType.COLOURED);
    out.u32le(STATE_ENTRY_BYTES.COLOURED);
    out.u8(type);
    out.exactBytes(mac, MAC_BYTES);
    out.u64le(whenNs);
  }

  /**
   * A packfile counts; `stateId` is the state that brings it, `timestampNs` nanoseconds since 1970.
   */
  addPackfile(packfile: Mac, stateId: Mac, timestampNs: bigint): void {
    const out = this.#out;
    out.u8(StateEntryType.PACKFILE);
    out.u32le(STATE_ENTRY_BYTES.PACKFILE);
    out.exactBytes(packfile, MAC_BYTES);
    out.exactBytes(stateId, MAC_BYTES);
    out.u64le(timestampNs);
  }

  /** Takes one location of a blob back. */
  deleteLocation(type: number, mac: Mac, packfile: Mac): void {
    this.#delete(StateEntryType.LOCATIONS, type, mac, packfile);
  }

  /** Takes a colouring back. */
  deleteColoured(type: number, mac: Mac): void {
    this.#delete(StateEntryType.COLOURED, type, mac, NIL_MAC);
  }

  /** Takes a packfile and all locations in it back. */
  deletePackfile(packfile: Mac): void {
    this.#delete(StateEntryType.PACKFILE, 0, NIL_MAC, packfile);
  }

  /**
   * Ends the state.
   *
   * @param timestampNs When the writer opened the state, nanoseconds since 1970.
   * @param serial The repository id, or the serial of the latest state.
   * @returns The whole plain stream.
   */
  finish(timestampNs: bigint, serial: Uuid): Uint8Array {
    const out = this.#out;
    out.u8(StateEntryType.METADATA);
    out.u32le(this.#version);
    out.u64le(timestampNs);
    out.exactBytes(serial, UUID_BYTES);
    return out.finish();
  }

  #delete(entryType: number, type: number, mac: Mac, packfile: Mac): void {
    if (this.#version !== VERSION_1_1_0) {
      throw new TypeError("Cannot write a deletion: states before 1.1.0 have none");
    }
    const out = this.#out;
    out.u8(StateEntryType.DELETE);
    out.u32le(STATE_ENTRY_BYTES.DELETE);
    out.u8(entryType);
    out.u8(type);
    out.exactBytes(mac, MAC_BYTES);
    out.exactBytes(packfile, MAC_BYTES);
  }
}
