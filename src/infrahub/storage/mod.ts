/**
 * The objects that Infrahub keeps as files beside its databases, artifacts and uploads: where they
 * lie, reading them as a tar, and exchanging them for those of a backup. All of it is done where the
 * API server runs. What the tar is stored in is not known here.
 *
 * @module
 */

export {
  findLocalStorage,
  findStorage,
  measureStorage,
  type StorageLocation,
} from "./storage_location.ts";
export { storageSource, type StorageSourceOptions } from "./storage_source.ts";
export { openStorageTarget, PUT_BACK_NAME, putBackStorage } from "./storage_target.ts";
