import { messageOf, ToolError } from "../../errors/mod.ts";
import { exists } from "../../files/mod.ts";
import type { PassphraseProvider } from "../../kloset/mod.ts";
import type { CliContext } from "../process/mod.ts";
import { type GlobalOptions, UsageError } from "../syntax/mod.ts";

/** Names the file that holds the passphrase, where no option does. */
const FILE_VARIABLE = "INFRAHUB_BACKUP_PASSPHRASE_FILE";

/** Holds the passphrase itself. */
const VARIABLE = "INFRAHUB_BACKUP_PASSPHRASE";

/** Name of systemd's credential that holds it: `LoadCredential=infrahub-backup-passphrase:…`. */
const CREDENTIAL = "infrahub-backup-passphrase";

/** Longer files were meant for something else. */
const MAXIMUM_BYTES = 4096;

/** No usable passphrase can be had; the message never holds any of it. */
export class PassphraseError extends ToolError {}

/**
 * Gives the passphrase of a repository. The first of these that is set counts: `--passphrase-file`,
 * the variable that names a file, systemd's credential, the variable that is the passphrase; else the
 * user is asked, twice for a new repository.
 *
 * It is never taken from the command line, which every user of the host can read.
 */
export function passphraseProvider(
  { context, globals }: {
    readonly context: Pick<CliContext, "env" | "askSecret">;
    readonly globals: Pick<GlobalOptions, "passphraseFile">;
  },
): PassphraseProvider {
  return async (purpose) => {
    const { passphraseFile } = globals;
    if (passphraseFile === "") throw new UsageError("--passphrase-file needs the name of a file");
    const file = passphraseFile ?? context.env(FILE_VARIABLE);
    if (file) return await readPassphrase(file);
    const credentials = context.env("CREDENTIALS_DIRECTORY");
    if (credentials) {
      const path = `${credentials}/${CREDENTIAL}`;
      if (await isThere(path)) return await readPassphrase(path);
    }
    const text = context.env(VARIABLE);
    if (text) return new TextEncoder().encode(text);
    const answer = await context.askSecret(
      purpose === "create" ? "Passphrase for the new repository: " : "Passphrase: ",
    );
    if (answer === undefined) {
      throw new PassphraseError(
        (purpose === "open" ? "it is encrypted" : "it is to be encrypted") +
          ", and no passphrase was given: use --passphrase-file, " +
          `${FILE_VARIABLE}, the credential ${CREDENTIAL}, or ${VARIABLE}`,
      );
    }
    if (purpose === "create") confirm(answer, await context.askSecret("Once more: "));
    return answer;
  };
}

/** The content of a file, but for one line end after it. */
async function readPassphrase(path: string): Promise<Uint8Array> {
  const content = await readLimited(path);
  let length = content.length;
  if (content[length - 1] === NEWLINE) length -= content[length - 2] === CARRIAGE_RETURN ? 2 : 1;
  if (length === 0) throw new PassphraseError(`there is no passphrase in ${path}: it is empty`);
  return content.subarray(0, length);
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

async function readLimited(path: string): Promise<Uint8Array> {
  const buffer = new Uint8Array(MAXIMUM_BYTES + 1);
  let length = 0;
  try {
    using file = await Deno.open(path);
    // Not the size that the file says it has: it may be a pipe.
    while (length < buffer.length) {
      const count = await file.read(buffer.subarray(length));
      if (count === null) break;
      length += count;
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new PassphraseError(`cannot read the passphrase: ${error.message}`, { cause: error });
  }
  if (length > MAXIMUM_BYTES) {
    throw new PassphraseError(`there is no passphrase in ${path}: over ${MAXIMUM_BYTES} bytes`);
  }
  return buffer.subarray(0, length);
}

async function isThere(path: string): Promise<boolean> {
  try {
    return await exists(path);
  } catch (error) {
    throw new PassphraseError(
      `cannot look for the passphrase: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function confirm(answer: Uint8Array, again: Uint8Array | undefined): void {
  const isSame = again?.length === answer.length && again.every((byte, i) => byte === answer[i]);
  again?.fill(0);
  if (isSame) return;
  answer.fill(0);
  throw new PassphraseError("the two passphrases are not the same");
}
