import type { Region } from "../../kernels/mod.ts";
import type {
  Compression,
  Encoding,
  HashedPart,
  MacParameters,
  Task,
  TaskResult,
} from "./tasks.ts";

/** The answer to a task, or why there is none. */
export type Answer =
  | { readonly result: TaskResult<Task> }
  | { readonly error: string };

/** Longest text that is told of a failure; the rest of a longer one is not. */
const MAXIMUM_TEXT_BYTES = 4096;

/** More than the chaining values that are left of the longest chunk, wherever it stands. */
const MAXIMUM_PART_BYTES = 4096;

const OPERATIONS: readonly Task["operation"][] = ["hash", "part", "encode", "decode"];
const ALGORITHMS: readonly MacParameters["algorithm"][] = ["BLAKE3", "SHA256"];
const COMPRESSIONS: readonly Compression[] = [undefined, "LZ4", "GZIP"];
const OUTCOMES = ["result", "damage", "error"] as const;

const KEY_BYTES = 32;

// Where a slot has what, in bytes from its start. First the task:
const OPERATION = 0;
const ALGORITHM = 1;
const COMPRESSION = 2;
const IS_ENCRYPTED = 3;
const WANTS_ENTROPY = 4;
const DATA = 8;
const LENGTH = 24;
const START = 32;
const TARGET = 40;
const POSITION = 56;
const PIECE_BYTES = 64;
const MAC_KEY = 72;
const ENCRYPTION_KEY = 104;
// then the answer:
const OUTCOME = 136;
const HAS_PART = 137;
const REST_BYTES = 140;
const RESULT_LENGTH = 144;
const ENTROPY = 152;
const MAC = 160;
/** The part, or the text of a failure. */
const REST = 192;

/** Length of a slot. */
export const SLOT_BYTES: number = REST + Math.max(MAXIMUM_TEXT_BYTES, MAXIMUM_PART_BYTES);

/**
 * One task and the answer to it, as bytes of shared memory. Nothing here waits: who may read or
 * write when is the mailbox's business.
 */
export class Slot {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  /** @param start of the slot's {@linkcode SLOT_BYTES} bytes */
  constructor(memory: SharedArrayBuffer, start: number) {
    this.#view = new DataView(memory, start, SLOT_BYTES);
    this.#bytes = new Uint8Array(memory, start, SLOT_BYTES);
  }

  writeTask(task: Task): void {
    const view = this.#view;
    view.setUint8(OPERATION, OPERATIONS.indexOf(task.operation));
    this.#writeRegion(DATA, task.data);
    view.setFloat64(LENGTH, task.length);
    if (task.operation !== "encode") {
      view.setUint8(ALGORITHM, ALGORITHMS.indexOf(task.mac.algorithm));
      this.#bytes.set(task.mac.key, MAC_KEY);
      view.setFloat64(POSITION, task.position);
    }
    if (task.operation === "encode" || task.operation === "decode") {
      this.#writeRegion(TARGET, task.target);
      this.#writeEncoding(task.encoding);
    }
    if (task.operation === "decode") view.setFloat64(START, task.start);
    if (task.operation === "hash") view.setUint8(WANTS_ENTROPY, task.entropy ? 1 : 0);
  }

  readTask(): Task {
    const view = this.#view;
    const data = this.#readRegion(DATA);
    const length = view.getFloat64(LENGTH);
    const position = view.getFloat64(POSITION);
    const operation = OPERATIONS[view.getUint8(OPERATION)]!;
    switch (operation) {
      case "hash": {
        const entropy = view.getUint8(WANTS_ENTROPY) === 1;
        return { operation, data, length, position, entropy, mac: this.#readMacParameters() };
      }
      case "part":
        return { operation, data, length, position, mac: this.#readMacParameters() };
      case "encode": {
        const target = this.#readRegion(TARGET);
        return { operation, data, length, target, encoding: this.#readEncoding() };
      }
      case "decode":
        return {
          operation,
          data,
          start: view.getFloat64(START),
          length,
          target: this.#readRegion(TARGET),
          encoding: this.#readEncoding(),
          mac: this.#readMacParameters(),
          position,
        };
    }
  }

  /** @throws {RangeError} the part is longer than any can be */
  writeAnswer(answer: Answer): void {
    if ("error" in answer) return this.#writeText("error", answer.error);
    const { result } = answer;
    if (result !== undefined && "damage" in result) return this.#writeText("damage", result.damage);
    const view = this.#view;
    view.setUint8(OUTCOME, OUTCOMES.indexOf("result"));
    if (result === undefined || result instanceof Uint8Array) return this.#writePart(result);
    if ("length" in result) view.setFloat64(RESULT_LENGTH, result.length);
    if ("entropy" in result) view.setFloat64(ENTROPY, result.entropy);
    if (!("mac" in result)) return;
    this.#bytes.set(result.mac, MAC);
    this.#writePart(result.part);
  }

  /** The answer, whose bytes are its own. */
  readAnswer(): Answer {
    const view = this.#view;
    const outcome = OUTCOMES[view.getUint8(OUTCOME)]!;
    if (outcome === "error") return { error: this.#readText() };
    if (outcome === "damage") return { result: { damage: this.#readText() } };
    const mac = () => this.#bytes.slice(MAC, MAC + KEY_BYTES);
    const length = view.getFloat64(RESULT_LENGTH);
    switch (OPERATIONS[view.getUint8(OPERATION)]!) {
      case "hash": {
        const entropy = view.getFloat64(ENTROPY);
        return { result: { mac: mac(), entropy, part: this.#readPart() } };
      }
      case "part":
        return { result: this.#readPart() };
      case "encode":
        return { result: { length } };
      case "decode":
        return { result: { length, mac: mac(), part: this.#readPart() } };
    }
  }

  #writeRegion(at: number, region: Region): void {
    this.#view.setFloat64(at, region.offset);
    this.#view.setFloat64(at + 8, region.length);
  }

  #readRegion(at: number): Region {
    return { offset: this.#view.getFloat64(at), length: this.#view.getFloat64(at + 8) };
  }

  #readMacParameters(): MacParameters {
    return {
      algorithm: ALGORITHMS[this.#view.getUint8(ALGORITHM)]!,
      key: this.#bytes.slice(MAC_KEY, MAC_KEY + KEY_BYTES),
    };
  }

  #writeEncoding({ compression, encryption }: Encoding): void {
    this.#view.setUint8(COMPRESSION, COMPRESSIONS.indexOf(compression));
    this.#view.setUint8(IS_ENCRYPTED, encryption === undefined ? 0 : 1);
    if (encryption === undefined) return;
    this.#view.setFloat64(PIECE_BYTES, encryption.pieceBytes);
    this.#bytes.set(encryption.key, ENCRYPTION_KEY);
  }

  #readEncoding(): Encoding {
    const view = this.#view;
    return {
      compression: COMPRESSIONS[view.getUint8(COMPRESSION)],
      encryption: view.getUint8(IS_ENCRYPTED) === 0 ? undefined : {
        key: this.#bytes.slice(ENCRYPTION_KEY, ENCRYPTION_KEY + KEY_BYTES),
        pieceBytes: view.getFloat64(PIECE_BYTES),
      },
    };
  }

  #writePart(part: HashedPart): void {
    this.#view.setUint8(HAS_PART, part === undefined ? 0 : 1);
    this.#writeRest(part ?? new Uint8Array());
  }

  #readPart(): HashedPart {
    return this.#view.getUint8(HAS_PART) === 0 ? undefined : this.#readRest();
  }

  #writeText(outcome: "damage" | "error", text: string): void {
    this.#view.setUint8(OUTCOME, OUTCOMES.indexOf(outcome));
    this.#writeRest(new TextEncoder().encode(text).subarray(0, MAXIMUM_TEXT_BYTES));
  }

  #readText(): string {
    return new TextDecoder().decode(this.#readRest());
  }

  #writeRest(bytes: Uint8Array): void {
    this.#bytes.set(bytes, REST);
    this.#view.setUint32(REST_BYTES, bytes.length);
  }

  #readRest(): Uint8Array {
    return this.#bytes.slice(REST, REST + this.#view.getUint32(REST_BYTES));
  }
}
