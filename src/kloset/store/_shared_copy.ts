/** Shared bytes are copied by words of this size where both sides begin alike in one. */
const WORD_BYTES = 8;

/** Small enough to stay in the processor's cache between two copies. */
const PIECE_BYTES = 64 * 1024;

/** A piece on its way. */
const passing = new Uint8Array(WORD_BYTES + PIECE_BYTES);

/**
 * Copies bytes, which may be of shared memory, to byte `at` of a target that is not.
 *
 * The runtime copies shared bytes one by one where source and target stand differently between two
 * words. Two copies, by words and then unshared, take half as long.
 *
 * @throws {RangeError} the target ends before
 */
export function copyShared(bytes: Uint8Array, target: Uint8Array, at: number): void {
  const shift = bytes.byteOffset % WORD_BYTES;
  const isAligned = (target.byteOffset + at) % WORD_BYTES === shift;
  if (isAligned || !(bytes.buffer instanceof SharedArrayBuffer)) {
    target.set(bytes, at);
    return;
  }
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const piece = bytes.subarray(start, start + PIECE_BYTES);
    const copy = passing.subarray(shift, shift + piece.length);
    copy.set(piece);
    target.set(copy, at + start);
  }
}
