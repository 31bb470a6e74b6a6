/** The programs that the test bed needs, and where they come from. */

import { exists, isOnPath, makeOnce, report, run, StackError } from "./command.ts";
import { cacheFolder } from "./folders.ts";

/** The release of Docker Compose that is built. */
export const COMPOSE_VERSION = "v2.40.3";

const COMPOSE_MODULE = "github.com/docker/compose/v2";

/** Debian packages by a program that each brings. */
const PACKAGES: Readonly<Record<string, string>> = {
  dockerd: "docker.io",
  containerd: "containerd",
  runc: "runc",
  debootstrap: "debootstrap",
  iptables: "iptables",
  mvn: "maven",
  mount: "mount",
};

/** What the databases need that run on this machine itself. */
export const HOST_PACKAGES: Readonly<Record<string, string>> = {
  mvn: "maven",
  java: "default-jre-headless",
  // Brings the server as well; its programs are not on PATH.
  pg_createcluster: "postgresql",
  runuser: "util-linux",
};

/**
 * Installs the Debian packages whose programs are missing.
 *
 * @param packages names by a program that each brings
 * @throws {StackError} when this user cannot install packages or a package cannot be had.
 */
export async function installPackages(
  packages: Readonly<Record<string, string>> = PACKAGES,
): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(packages)) {
    if (!await isOnPath(program)) missing.push(name);
  }
  if (missing.length === 0) return;
  if (Deno.uid() !== 0) {
    throw new StackError(`Cannot install ${missing.join(" ")}: run as root, or install them first`);
  }
  report(`installing ${missing.join(" ")}`);
  // No service is started by the installation: the engine of these tests has folders of its own.
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await run("apt-get", ["update", "-qq"], { env });
  // Another test bed may be installing something.
  const flags = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600"];
  await run("apt-get", ["install", ...flags, ...missing], { env });
}

/**
 * The folder for `DOCKER_CONFIG`, with Compose as a plugin of the client in it; built once.
 *
 * @throws {StackError} when there is no Go, or the build fails.
 */
export async function composeFolder(): Promise<string> {
  const folder = `${cacheFolder()}/docker-config-${COMPOSE_VERSION}`;
  return await makeOnce(folder, async (temporary) => {
    report(`building Docker Compose ${COMPOSE_VERSION} (some minutes)`);
    const download = await run("go", [
      "mod",
      "download",
      "-json",
      `${COMPOSE_MODULE}@${COMPOSE_VERSION}`,
    ]);
    const source = (JSON.parse(download) as { Dir: string }).Dir;
    // A copy, because its go.mod excludes versions: then `go install` refuses, a main module may.
    const scratch = await Deno.makeTempDir({ prefix: "infrahub-backup-compose-" });
    try {
      await run("cp", ["-r", `${source}/.`, scratch]);
      await run("chmod", ["-R", "u+w", scratch]);
      const version = `-X ${COMPOSE_MODULE}/internal.Version=${COMPOSE_VERSION}`;
      const target = `${temporary}/cli-plugins/docker-compose`;
      await run(
        "go",
        ["build", "-trimpath", "-ldflags", `-s -w ${version}`, "-o", target, "./cmd"],
        {
          cwd: scratch,
          env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false" },
        },
      );
    } finally {
      await Deno.remove(scratch, { recursive: true });
    }
  });
}

/** Whether Compose has been built. */
export async function hasCompose(): Promise<boolean> {
  return await exists(`${cacheFolder()}/docker-config-${COMPOSE_VERSION}`);
}
