import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { generateKeyPair, type KeyPair, writeKeyFiles } from "../../archive/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { InfrahubBackupError } from "../../infrahub/mod.ts";
import { writeJson } from "../report/mod.ts";
import { type SessionProvider } from "../session/mod.ts";
import { pathArgument, UsageError } from "../syntax/mod.ts";

/** Adds `keygen`. */
export function addKeygen(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("keygen")
    .description("Make a key pair for encrypted archives, and print the public key")
    .addOption(
      new Option(
        "-o, --output <file>",
        "file of the private key; the public key gets the same name with .pub",
      ).argParser(pathArgument).default("backup.key"),
    )
    // No variable: replacing a key loses every archive that was encrypted for it.
    .option("--force", "replace existing key files")
    .action(async (options) => {
      const current = session();
      const { context, json, reporter } = current;
      if (options.output === "") throw new UsageError("--output needs the name of a file");
      const pair = await makePair();
      const { privateKeyPath, publicKeyPath } = await writeKeyFiles(options.output, pair, {
        overwrite: options.force ?? false,
      });
      reporter.info(`Private key written to: ${privateKeyPath}`);
      reporter.info(`Public key written to: ${publicKeyPath}`);
      if (!json) return context.writeOut(`${pair.publicKey}\n`);
      writeJson(current, {
        ok: true,
        public_key: pair.publicKey,
        private_key_file: privateKeyPath,
        public_key_file: publicKeyPath,
      });
    });
}

async function makePair(): Promise<KeyPair> {
  try {
    return await generateKeyPair();
  } catch (error) {
    throw new InfrahubBackupError(`failed to generate keypair: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
