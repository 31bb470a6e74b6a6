import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  InfrahubBackupError,
  sandboxOf,
  type StoreFinding,
  validateStore,
} from "../../../infrahub/mod.ts";
import { redactUrls } from "../../process/mod.ts";
import { writeJson } from "../../report/mod.ts";
import { s3Settings, type SessionProvider } from "../../session/mod.ts";
import { UsageError } from "../../syntax/mod.ts";

/** Adds `repo validate`. */
export function addRepoValidate(repo: CommandUnknownOpts, session: SessionProvider): void {
  repo.command("validate")
    .description(
      "Try out whether a place for a repository keeps what backups rely on; exits with 1 when it " +
        "does not. Works in a folder of its own and removes it; a repository there is not touched",
    )
    .action(async () => {
      const current = session();
      const { context, globals, json } = current;
      if (!globals.repo) throw new UsageError("--repo is required for repo validate");
      const sandbox = sandboxOf(globals.repo, s3Settings(current));
      const findings: StoreFinding[] = [];
      const found = validateStore(sandbox, {
        signal: context.signal,
        now: () => context.now().getTime(),
      });
      for await (const finding of found) {
        findings.push(finding);
        if (!json) context.writeOut(lineOf(finding));
      }
      const failed = findings.filter(({ verdict }) => verdict === "failed").length;
      if (json) {
        writeJson(current, {
          ok: failed === 0,
          repo: redactUrls(globals.repo),
          checks: findings.map((finding) => ({ ...finding, detail: redactUrls(finding.detail) })),
        });
      }
      if (failed > 0) {
        throw new InfrahubBackupError(
          `${failed} of ${findings.length} checks failed: do not keep backups there`,
        );
      }
    });
}

function lineOf({ check, verdict, detail }: StoreFinding): string {
  return `${verdict.toUpperCase().padEnd(7)}  ${check}: ${redactUrls(detail)}\n`;
}
