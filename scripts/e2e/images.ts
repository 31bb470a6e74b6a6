/**
 * The images of the test deployment. None can be pulled here, so a Debian root file system is made
 * with debootstrap, and `tests/e2e/images` adds PostgreSQL, Neo4j and the stand-ins to it. The
 * recipes are ordinary Dockerfiles; what comes from the host (package sources, jars) is added here.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { exists, makeOnce, report, run, StackError } from "./command.ts";
import { engineEnvironment } from "./engine.ts";
import { cacheFolder, E2E_TESTS } from "./folders.ts";

const RECIPES = `${E2E_TESTS.pathname}images`;
const SUITE = "bookworm";
const BASE = "e2e/base";
const IMAGES = ["service", "postgres", "neo4j"] as const;
const DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";

async function hashTree(folder: string, hash = createHash("sha256"), prefix = ""): Promise<string> {
  const entries = (await Array.fromAsync(Deno.readDir(folder)))
    .toSorted((a, b) => a.name < b.name ? -1 : 1);
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory) {
      await hashTree(path, hash, `${name}/`);
    } else {
      const executable = ((await Deno.stat(path)).mode ?? 0) & 0o111 ? "x" : "-";
      hash.update(`${name}\0${executable}\0`).update(await Deno.readFile(path)).update("\0");
    }
  }
  return prefix === "" ? hash.digest("hex").slice(0, 12) : "";
}

/** The Debian repositories of this machine, as apt lines `deb URI SUITE COMPONENT`. */
async function packageSources(): Promise<string[]> {
  const format = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)|$(ORIGIN)|$(CODENAME)";
  const list = async (): Promise<string[]> => {
    const text = await run("apt-get", [
      "indextargets",
      "--format",
      format,
      "Created-By: Packages",
    ]);
    return text.split("\n").map((line) => line.split("|"))
      .filter(([, origin, codename]) => origin === "Debian" && codename?.startsWith(SUITE))
      .map(([line]) => line ?? "");
  };
  let sources = await list();
  if (sources.length === 0) {
    // The origin is known only once the indexes have been read.
    await run("apt-get", ["update", "-qq"]);
    sources = await list();
  }
  if (sources.length === 0) throw new StackError(`Cannot make images: apt has no ${SUITE} source`);
  return sources;
}

/** A Debian root file system as a tar file; made once per recipe. */
async function baseArchive(): Promise<string> {
  const digest = await hashTree(`${RECIPES}/base`);
  return await makeOnce(`${cacheFolder()}/base-${SUITE}-${digest}.tar`, async (temporary) => {
    report("making the base image with debootstrap");
    const sources = await packageSources();
    const main = sources.find((line) => line.split(" ")[2] === SUITE)?.split(" ")[1];
    if (main === undefined) throw new StackError(`Cannot make images: apt has no ${SUITE} main`);
    const packages = (await Deno.readTextFile(`${RECIPES}/base/packages`)).trim().split("\n");
    const root = await Deno.makeTempDir({ prefix: "infrahub-backup-base-" });
    try {
      const flags = ["--variant=minbase", `--include=${packages.join(",")}`];
      await run("debootstrap", [...flags, SUITE, root, main]);
      await Deno.writeTextFile(`${root}/etc/apt/sources.list`, `${sources.join("\n")}\n`);
      // How this machine reaches its repositories; without what other programs want to download.
      const settings = (await run("apt-config", ["dump", "Acquire"])).split("\n")
        .filter((line) => !line.includes("::IndexTargets"));
      await Deno.writeTextFile(`${root}/etc/apt/apt.conf.d/99host`, settings.join("\n"));
      await run("tar", [
        "-C",
        root,
        "--numeric-owner",
        "--exclude=./var/cache/apt/archives/*.deb",
        "--exclude=./var/lib/apt/lists/*",
        "-cf",
        temporary,
        ".",
      ]);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/**
 * The jars of Neo4j and of its shell; fetched once per list.
 *
 * @param pom the list; that of the images when left out
 * @returns their folder
 */
export async function neo4jJars(pom = `${RECIPES}/neo4j/pom.xml`): Promise<string> {
  const digest = createHash("sha256").update(await Deno.readFile(pom)).digest("hex").slice(0, 12);
  return await makeOnce(`${cacheFolder()}/neo4j-jars-${digest}`, async (temporary) => {
    report("fetching the jars of Neo4j");
    await Deno.mkdir(cacheFolder(), { recursive: true });
    const goal = `${DEPENDENCY_PLUGIN}:copy-dependencies`;
    const flags = ["-DincludeScope=runtime", `-DoutputDirectory=${temporary}`];
    await run("mvn", ["-q", "-B", "-f", pom, goal, ...flags]);
  });
}

async function build(name: string, env: Record<string, string>): Promise<void> {
  report(`building e2e/${name}`);
  const context = await Deno.makeTempDir({ prefix: "infrahub-backup-image-" });
  try {
    await run("cp", ["-r", `${RECIPES}/${name}/.`, context]);
    if (name === "neo4j") await run("cp", ["-r", await neo4jJars(), `${context}/lib`]);
    // The engine has no bridge, so that package downloads go by the host's network.
    await run("docker", ["build", "--network=host", "-q", "-t", `e2e/${name}`, context], { env });
  } finally {
    await Deno.remove(context, { recursive: true });
  }
}

/** Removes the archives of former recipes: each has the size of all images. */
async function removeOthers(archive: string): Promise<void> {
  for await (const { name } of Deno.readDir(cacheFolder())) {
    const path = `${cacheFolder()}/${name}`;
    if (/^images-[0-9a-f]+\.tar$/.test(name) && path !== archive) await Deno.remove(path);
  }
}

/** The names of the images as the recipes stand now: `e2e/NAME:DIGEST`. */
async function tags(): Promise<string[]> {
  const digest = await hashTree(RECIPES);
  return IMAGES.map((name) => `e2e/${name}:${digest}`);
}

async function isLoaded(images: readonly string[], env: Record<string, string>): Promise<boolean> {
  const format = "{{.Repository}}:{{.Tag}}";
  const loaded = new Set(
    (await run("docker", ["images", "--format", format], { env })).split("\n"),
  );
  return images.every((image) => loaded.has(image));
}

/**
 * Sees to it that the running engine has the images `e2e/service`, `e2e/postgres` and `e2e/neo4j`
 * as the recipes stand: from its store, else from the cache folder, else built.
 *
 * @throws {StackError} when a package or jar cannot be had or a build fails.
 */
export async function ensureImages(): Promise<void> {
  const env = await engineEnvironment();
  const images = await tags();
  if (!await isLoaded(images, env)) {
    const digest = images[0]?.split(":")[1];
    const archive = `${cacheFolder()}/images-${digest}.tar`;
    if (await exists(archive)) {
      report("loading the images");
      await run("docker", ["load", "-q", "-i", archive], { env });
    } else {
      await run("docker", ["import", await baseArchive(), BASE], { env });
      for (const name of IMAGES) {
        await build(name, env);
        await run("docker", ["tag", `e2e/${name}`, `e2e/${name}:${digest}`], { env });
      }
      await makeOnce(archive, async (temporary) => {
        report("saving the images");
        await run("docker", ["save", "-o", temporary, ...images], { env });
      });
      await removeOthers(archive);
    }
  }
  // What compose.yaml names is what the recipes say, also after a change of branch.
  for (const image of images) {
    await run("docker", ["tag", image, image.split(":")[0] ?? image], { env });
  }
}

/** Whether the cache folder has the images of the present recipes. */
export async function imageArchive(): Promise<string | undefined> {
  const path = `${cacheFolder()}/images-${(await tags())[0]?.split(":")[1]}.tar`;
  return await exists(path) ? path : undefined;
}
