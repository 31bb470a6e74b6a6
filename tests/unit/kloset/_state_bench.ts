import { Kernels } from "../../../src/kernels/mod.ts";
import {
  encodeEnvelope,
  type Mac,
  macToHex,
  NIL_MAC,
  openEnvelope,
  ResourceType,
  StateEncoder,
  VERSION_1_1_0,
} from "../../../src/kloset/format/mod.ts";
import { Catalog } from "../../../src/kloset/state/mod.ts";
import { Codec, MacFunction } from "../../../src/kloset/unit/mod.ts";
import { smallConfiguration } from "../../faults/backups.ts";
import { FaultyStore } from "../../faults/faulty_store.ts";
import { MemoryStore } from "../../faults/memory_store.ts";

const kernels = await Kernels.load();

/** 32 bytes that are all the same. */
export function id(byte: number): Mac {
  return new Uint8Array(32).fill(byte);
}

/** What a state of a test is called and follows. */
export interface StateOptions {
  readonly parent?: Mac;
  readonly timestampNs?: bigint;
  readonly version?: number;
}

/** A store with states in it, and what it takes to read them. */
export class StateBench {
  readonly memory = new MemoryStore();
  readonly store = new FaultyStore(this.memory);
  readonly configuration = smallConfiguration();
  readonly codec = new Codec(kernels, { compression: "LZ4", encryption: undefined });
  readonly mac = new MacFunction(kernels, {
    algorithm: "BLAKE3",
    key: kernels.blake3(this.configuration.repositoryId),
  });

  /** Opens the catalog of what is stored now. */
  open(): Promise<Catalog> {
    return Catalog.open({
      store: this.store,
      codec: this.codec,
      mac: this.mac,
      cache: undefined,
    });
  }

  /** Stores a state of which `write` writes the entries. */
  add(
    stateId: Mac,
    write: (encoder: StateEncoder) => void,
    { parent = NIL_MAC, timestampNs = 1n, version = VERSION_1_1_0 }: StateOptions = {},
  ): void {
    const encoder = new StateEncoder(version, parent);
    write(encoder);
    const stream = encoder.finish(timestampNs, this.configuration.repositoryId);
    this.memory.objects.state.set(
      macToHex(stateId),
      encodeEnvelope(ResourceType.STATE, version, this.codec.encode(stream), this.mac.of),
    );
  }

  /** The version and the plain stream of a stored state. */
  read(stateId: Mac): { version: number; stream: Uint8Array } {
    const bytes = this.memory.objects.state.get(macToHex(stateId))!;
    const { version, payload } = openEnvelope(
      bytes,
      ResourceType.STATE,
      VERSION_1_1_0,
      this.mac.of,
    );
    return { version, stream: this.codec.decode(payload) };
  }
}
