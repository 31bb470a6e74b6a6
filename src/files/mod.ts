/**
 * Files that are whole or not there: the one atomic write (a temporary name, all bytes, sync, the
 * name, sync of the folder) and the small operations that it is made of. A ground layer: what is in a
 * file, and in which words a failure is told, is the business of those who write it; here errors are
 * the runtime's own.
 *
 * @module
 */

export { AtomicFile, type AtomicFileOptions, writeFileAtomically } from "./atomic_file.ts";
export { exists, existsSync, readTextIfThere, removeIfThere } from "./exists.ts";
export { mistakeInPath } from "./meant_path.ts";
export { baseNameOf, directoryOf, randomName } from "./names.ts";
export { onUnsyncableDirectory, syncDirectory } from "./sync_directory.ts";
export { writeAll } from "./write_all.ts";
export { followInside } from "./contained_link.ts";
export { namesIn, requireReadableNames, UnreadableNameError } from "./directory_names.ts";
