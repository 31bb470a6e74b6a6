import { exists, writeFileAtomically } from "../../files/mod.ts";
import { attempt } from "../io/mod.ts";
import { AlreadyExistsError } from "../errors.ts";
import type { KeyPair } from "./keys.ts";

/** How {@linkcode writeKeyFiles} writes. */
export interface WriteKeyFilesOptions {
  /**
   * Whether existing files are replaced. A private key that is replaced is lost, and with it every
   * archive made for it.
   *
   * @default {false}
   */
  readonly overwrite?: boolean;
}

/**
 * Writes a key pair: `path` (PEM, mode 0600) and `path.pub` (base64 and a newline, mode 0644).
 *
 * Each is complete and on the disk before it has its name.
 *
 * @throws {AlreadyExistsError} when one of the files exists and must not be replaced
 * @throws {ArchiveIoError} `failed to write private key: …`, `failed to write public key: …`
 */
export async function writeKeyFiles(
  path: string,
  pair: KeyPair,
  options: WriteKeyFilesOptions = {},
): Promise<{ readonly privateKeyPath: string; readonly publicKeyPath: string }> {
  const publicKeyPath = `${path}.pub`;
  if (options.overwrite !== true) {
    for (const name of [path, publicKeyPath]) {
      if (await attempt("failed to write private key", exists(name))) {
        throw new AlreadyExistsError(`key file exists already: ${name}`);
      }
    }
  }
  await attempt(
    "failed to write private key",
    writeFileAtomically(path, pair.privateKeyPem, { mode: 0o600, exactMode: true, replace: true }),
  );
  await attempt(
    "failed to write public key",
    writeFileAtomically(publicKeyPath, `${pair.publicKey}\n`, {
      mode: 0o644,
      exactMode: true,
      replace: true,
    }),
  );
  return { privateKeyPath: path, publicKeyPath };
}
