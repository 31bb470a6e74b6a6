import { messageOf } from "../../errors/mod.ts";
import {
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
  measureDirectory,
  SERVER,
} from "../deployment/mod.ts";

/** Where Infrahub keeps its objects. */
export type StorageLocation =
  | { readonly kind: "local"; /** Absolute, where the API server runs. */ readonly path: string }
  | { readonly kind: "s3"; /** May be empty. */ readonly bucket: string };

const DRIVER = "INFRAHUB_STORAGE_DRIVER";
const LOCAL_PATH = "INFRAHUB_STORAGE_LOCAL_PATH";
const BUCKET = "INFRAHUB_STORAGE_BUCKET_NAME";
const DEFAULT_PATH = "/opt/infrahub/storage";

/**
 * Asks the API server's own variables, on a host those of this process.
 *
 * @throws {DeploymentError} when they cannot be read, as while the server is down, or name no
 * directory that could be replaced
 */
export async function findStorage({ environment, signal }: Deployment): Promise<StorageLocation> {
  let output: string;
  try {
    output = await environment.run(SERVER, ["env"], { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new DeploymentError(
      `cannot find out where Infrahub keeps its objects: ${messageOf(error)}`,
      { cause: error },
    );
  }
  const valueOf = (name: string) =>
    output.split("\n").find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1).trim();
  const driver = valueOf(DRIVER) || "local";
  if (driver === "s3") return { kind: "s3", bucket: valueOf(BUCKET) ?? "" };
  if (driver !== "local") {
    throw new DeploymentError(`unknown kind of storage: ${DRIVER}=${JSON.stringify(driver)}`);
  }
  const path = (valueOf(LOCAL_PATH) || DEFAULT_PATH).replace(/\/+$/, "");
  // All that is in it is exchanged by a restore.
  if (!/^\/[^/]/.test(path) || path.split("/").includes("..")) {
    throw new DeploymentError(`unusable storage directory: ${LOCAL_PATH}=${JSON.stringify(path)}`);
  }
  return { kind: "local", path };
}

/**
 * The directory that a backup reads, looked at before anything is touched.
 *
 * @throws {DeploymentRefusedError} when there is none, or the objects are in S3
 */
export async function findLocalStorage(deployment: Deployment): Promise<string> {
  const { environment, signal } = deployment;
  let location: StorageLocation;
  try {
    location = await findStorage(deployment);
  } catch (error) {
    signal.throwIfAborted();
    throw new DeploymentRefusedError(`${messageOf(error)} (it is what --with-storage backs up)`, {
      cause: error,
    });
  }
  if (location.kind === "s3") {
    throw new DeploymentRefusedError(
      `Infrahub keeps its objects in S3${
        location.bucket && ` (bucket ${location.bucket})`
      }, which ` +
        "--with-storage does not back up: leave it out, and keep versions or a replica of the " +
        "bucket there",
    );
  }
  const { path } = location;
  try {
    await environment.run(SERVER, ["sh", "-c", '[ -d "$1" ]', "sh", path], { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new DeploymentRefusedError(
      `there is no storage directory ${path} in ${SERVER}, which --with-storage would back up`,
      { cause: error },
    );
  }
  return path;
}

/** Bytes of the objects; undefined, after a warning, when that cannot be found out. */
export async function measureStorage(
  deployment: Deployment,
  path: string,
): Promise<number | undefined> {
  const bytes = await measureDirectory(deployment, SERVER, path);
  if (bytes === undefined) deployment.reporter.warn(`The size of ${path} is not known`);
  return bytes;
}
