import { attempt, exists, randomName, syncDirectory, writeAll } from "../io/mod.ts";
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
  await attempt("failed to write private key", replaceFile(path, pair.privateKeyPem, 0o600));
  await attempt(
    "failed to write public key",
    replaceFile(publicKeyPath, `${pair.publicKey}\n`, 0o644),
  );
  return { privateKeyPath: path, publicKeyPath };
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomName()}.part`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      await writeAll(file, new TextEncoder().encode(text));
      await file.sync();
    }
    await Deno.chmod(temporary, mode);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // absent already: the first error is what counts
    throw error;
  }
  await syncDirectory(path);
}
