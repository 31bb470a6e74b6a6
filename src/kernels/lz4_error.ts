import { ToolError } from "../errors/mod.ts";

/** An LZ4 frame is damaged: cut short, altered, or not a frame at all. */
export class Lz4Error extends ToolError {}

/** The content of an LZ4 frame is longer than the place it should go to. */
export class Lz4OutputTooSmallError extends Lz4Error {}
