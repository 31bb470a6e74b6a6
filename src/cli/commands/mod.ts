/**
 * The commands that operators call, one file or folder each: its options, what it asks of
 * `src/infrahub`, and its result. What several commands share of the command line is in `syntax`, of a
 * run in `session` and `report`; what a backup or restore *is* belongs to `src/infrahub`.
 *
 * @module
 */

export { addCompletion } from "./completion.ts";
export { addEnvironment } from "./environment.ts";
export { addKeygen } from "./keygen.ts";
export { addManual } from "./manual.ts";
export { addFlush, addTasks } from "./tasks.ts";
export { addUpload } from "./upload.ts";
export { addVersion } from "./version.ts";
