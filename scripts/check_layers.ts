/**
 * Counts the import graph of the source tree, and fails when it breaks a rule of the house.
 *
 * ```sh
 * deno run --allow-read --allow-run scripts/check_layers.ts
 * ```
 *
 * The graph is what `deno info --json` says of the entry points: static and dynamic imports, imports
 * of types, re-exports. What it does not follow are files named by `new URL("…", import.meta.url)`;
 * they are looked for here: a worker is an entry point more, anything else only has to lie in a layer
 * that may be reached.
 *
 * The rules are told in `docs/architecture.md`, under "Layers and rooms". Prints one line per
 * violation, `path:line: reason`, then the counted graph; exits 1 when there is a violation.
 *
 * @module
 */

/** Where a program begins; the entry points of workers are found by their `new URL(…)`. */
const ENTRY_POINTS: readonly string[] = ["main.ts", "src/kloset/mod.ts"];

/** What everybody may use. It knows none above it. */
const GROUND: readonly string[] = ["src/errors", "src/files", "src/s3"];

/** Which layer may import which others; a layer may import itself and, but for the ground, the ground. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["src/cli"],
  "src/cli": ["src/infrahub", "src/environment", "src/archive", "src/kloset", "src/kernels"],
  "src/infrahub": ["src/environment", "src/archive", "src/kloset"],
  "src/environment": [],
  "src/archive": [],
  "src/kloset": ["src/kernels"],
  "src/kernels": [],
  "src/s3": ["src/files", "src/errors"],
  "src/files": ["src/errors"],
  "src/errors": [],
};

/** Rooms that know fewer of their layer than the layer allows; they may import the ground as well. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  // Pure functions of bytes, which could be a library of their own.
  "src/kloset/format": [],
  "src/kloset/store": ["src/kloset/errors.ts"],
  "src/kloset/index": ["src/kloset/format", "src/kloset/errors.ts"],
};

/** Files that one module may import past the `mod.ts` of their folder. */
const DIRECT: Readonly<Record<string, string>> = {
  // A program that is asked for its version alone loads nothing else.
  "src/cli/process/version.ts": "main.ts",
  // The program's version is the package's.
  "deno.json": "src/cli/process/version.ts",
};

/** Packages that only one layer may import, so that they can be swapped. */
const CONFINED: Readonly<Record<string, string>> = {
  "commander": "src/cli",
  "@commander-js/extra-typings": "src/cli",
};

/** How many `.ts` files a folder may hold itself, subfolders apart. */
const MOST_FILES = 20;

/** Folders that may hold more: a codec a file. */
const LARGE: readonly string[] = ["src/kloset/format"];

/** Not part of the program: sources in another language that happen to end in `.ts`. */
const IGNORED: readonly string[] = ["src/kernels/assembly"];

const ASSET = /new URL\(\s*"([^"]+)",\s*import\.meta\.url/g;

/** One breach of the rules. */
export interface Violation {
  /** Path of the module or folder, relative to the root. */
  readonly path: string;
  /** Line in it, from 1. */
  readonly line: number;
  /** Which rule is broken, and how. */
  readonly reason: string;
}

/** What the check has counted and found. */
export interface Findings {
  /** By path and line; empty when every rule is kept. */
  readonly violations: readonly Violation[];
  /** Modules of `src`. */
  readonly files: number;
  /** Folders of `src` that hold modules. */
  readonly folders: number;
  /** Pairs of files in different folders of `src` of which the one imports the other. */
  readonly importsBetweenFolders: number;
  /** Circles between the files and folders of one folder. */
  readonly circles: number;
  /** Imports of a layer that the importing layer may not know. */
  readonly upward: number;
}

/** An import, or a file named by `new URL(…)`. */
interface Reference {
  readonly from: string;
  readonly line: number;
  /** As written. */
  readonly specifier: string;
  /** Path relative to the root, where it is a file of the tree. */
  readonly target?: string;
  readonly asset: boolean;
}

/** The part of `deno info --json` that is used. */
interface Information {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: Resolution;
      readonly type?: Resolution;
    }[];
  }[];
}

interface Resolution {
  readonly specifier?: string;
  readonly span?: { readonly start: { readonly line: number } };
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** The longest name of a table that a path lies in. */
function partOf(path: string, table: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(table).filter((part) => isInside(path, part))
    .sort((a, b) => b.length - a.length)[0];
}

/** Every reference of the modules that the entry points reach, and those modules. */
class Graph {
  readonly references: Reference[] = [];
  readonly modules = new Set<string>();
  readonly #root: string;
  readonly #base: string;

  private constructor(root: string) {
    this.#root = root;
    this.#base = `${new URL(`file://${encodeURI(root)}`).href}/`;
  }

  static async read(root: string): Promise<Graph> {
    const graph = new Graph(root);
    const waiting = [...ENTRY_POINTS];
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      if (graph.modules.has(entry)) continue;
      for (const path of await graph.#add(entry)) waiting.push(...await graph.#addAssets(path));
    }
    return graph;
  }

  /** The path of a file of the tree, by its address. */
  #path(address: string): string | undefined {
    if (!address.startsWith(this.#base)) return undefined;
    return decodeURIComponent(address.slice(this.#base.length));
  }

  /** @returns the modules that were not known before */
  async #add(entry: string): Promise<string[]> {
    const added: string[] = [];
    for (const module of (await this.#info(entry)).modules) {
      const from = this.#path(module.specifier);
      if (from === undefined || !from.endsWith(".ts") || this.modules.has(from)) continue;
      if (module.error !== undefined) throw new Error(`${from}: ${module.error}`);
      this.modules.add(from);
      added.push(from);
      for (const { specifier, code, type } of module.dependencies ?? []) {
        const resolution = code ?? type;
        const target = this.#path(resolution?.specifier ?? "");
        this.references.push({
          from,
          line: (resolution?.span?.start.line ?? 0) + 1,
          specifier,
          asset: false,
          ...(target === undefined ? {} : { target }),
        });
      }
    }
    return added;
  }

  /** @returns those that are modules: entry points of workers */
  async #addAssets(from: string): Promise<string[]> {
    const source = await Deno.readTextFile(`${this.#root}/${from}`);
    const workers: string[] = [];
    for (const match of source.matchAll(ASSET)) {
      const specifier = match[1] ?? "";
      const target = this.#path(new URL(specifier, `${this.#base}${from}`).href);
      if (target === undefined) continue;
      const line = source.slice(0, match.index).split("\n").length;
      this.references.push({ from, line, specifier, target, asset: true });
      if (target.endsWith(".ts")) workers.push(target);
    }
    return workers;
  }

  async #info(entry: string): Promise<Information> {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      // Packages are leaves of the graph: nothing of them has to be fetched.
      args: ["info", "--json", "--no-npm", "--no-remote", "--no-lock", entry],
      cwd: this.#root,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`deno info ${entry} failed:\n${decoder.decode(stderr)}`);
    return JSON.parse(decoder.decode(stdout));
  }
}

function breachOfPackage(from: string, specifier: string, mapped: readonly string[]) {
  if (/^(npm|jsr|https?):/.test(specifier)) {
    return `"${specifier}" is no mapped name: add it to the imports of deno.json`;
  }
  if (specifier.startsWith("node:")) return undefined;
  if (!mapped.includes(specifier)) return `"${specifier}" is not in the imports of deno.json`;
  const only = CONFINED[specifier];
  if (only !== undefined && !isInside(from, only)) return `only ${only} may import "${specifier}"`;
  return undefined;
}

/** Whether one layer may import the other. */
function mayKnow(layer: string, other: string): boolean {
  if (layer === other || LAYERS[layer]?.includes(other)) return true;
  return GROUND.includes(other) && !GROUND.includes(layer);
}

function breachOfLayer(from: string, target: string): string | undefined {
  const layer = partOf(from, LAYERS);
  const other = partOf(target, LAYERS);
  if (layer === undefined) return "is outside the table of layers";
  if (other === undefined) return `${target} is outside the table of layers`;
  return mayKnow(layer, other) ? undefined : `${layer} may not import ${other}`;
}

function breachOfRoom(from: string, target: string): string | undefined {
  const room = partOf(from, ROOMS);
  if (room === undefined) return undefined;
  const known = [room, ...GROUND, ...(ROOMS[room] ?? [])];
  if (known.some((part) => isInside(target, part))) return undefined;
  return `${room} may not import ${target}`;
}

function breachOfDoor(from: string, target: string): string | undefined {
  const folder = folderOf(target);
  const name = target.slice(folder.length + 1);
  if (name.startsWith("_") && folderOf(from) !== folder) {
    return `${target} is private to ${folder}`;
  }
  // A module may name files of its own folder and of those around it within its layer; any other
  // folder it knows by its table of contents alone.
  const layer = partOf(target, LAYERS) ?? "";
  const around = isInside(folderOf(from), folder) && isInside(folder, layer);
  if (around || name === "mod.ts") return undefined;
  return `${folder} is imported through its mod.ts, not through ${target}`;
}

function breachOf(reference: Reference, mapped: readonly string[]): string | undefined {
  const { from, target, specifier, asset } = reference;
  if (target === undefined) {
    if (!specifier.startsWith(".")) return breachOfPackage(from, specifier, mapped);
    return `"${specifier}" is outside the tree`;
  }
  if (DIRECT[target] === from) return undefined;
  return breachOfLayer(from, target) ?? breachOfRoom(from, target) ??
    (asset ? undefined : breachOfDoor(from, target));
}

/** What stands for a path among the files and folders of a folder. */
function childOf(folder: string, path: string): string {
  const next = path.indexOf("/", folder.length + 1);
  return next === -1 ? path : path.slice(0, next);
}

/**
 * The circles of a graph: groups of nodes of which each reaches every other.
 *
 * Tarjan's algorithm.
 */
function circlesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const circles: string[][] = [];
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (node: string): number => {
    const own = index.size;
    index.set(node, own);
    let low = own;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, index.get(next) ?? low);
    }
    lowest.set(node, low);
    if (low === own) {
      const group = stack.splice(stack.indexOf(node));
      if (group.length > 1) circles.push(group.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return circles;
}

/**
 * Circles, level by level: no file or folder reaches itself by way of its neighbours, where an
 * import of a file deep inside a folder counts as one of the folder.
 */
function findCircles(references: readonly Reference[]): Violation[] {
  const levels = new Map<string, Map<string, Map<string, Reference>>>();
  for (const reference of references) {
    const { from, target } = reference;
    if (target === undefined || !isInside(from, "src") || !isInside(target, "src")) continue;
    if (from === target) continue;
    let level = folderOf(from);
    while (!isInside(target, level)) level = folderOf(level);
    const graph = levels.get(level) ?? new Map<string, Map<string, Reference>>();
    levels.set(level, graph);
    const [child, other] = [childOf(level, from), childOf(level, target)];
    const edges = graph.get(child) ?? new Map<string, Reference>();
    graph.set(child, edges.has(other) ? edges : edges.set(other, reference));
  }
  const violations: Violation[] = [];
  for (const graph of levels.values()) {
    const plain = new Map([...graph].map(([node, edges]) => [node, new Set(edges.keys())]));
    for (const circle of circlesOf(plain)) {
      const arrows = circle.flatMap((node) =>
        [...graph.get(node) ?? []].filter(([other]) => circle.includes(other))
          .map(([, { from, line, target }]) => `${from}:${line} -> ${target}`)
      );
      violations.push({
        path: circle[0] ?? "",
        line: 1,
        reason: `stands in a circle of ${circle.join(", ")}: ${arrows.join("; ")}`,
      });
    }
  }
  return violations;
}

async function modulesUnder(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (IGNORED.some((ignored) => isInside(path, ignored))) continue;
    if (isDirectory) found.push(...await modulesUnder(root, path));
    else if (name.endsWith(".ts")) found.push(path);
  }
  return found.sort();
}

function countByFolder(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) {
    const folder = folderOf(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}

/** What is wrong with the files themselves: unreached, or too many of them in one folder. */
function misplaced(files: readonly string[], reached: ReadonlySet<string>): Violation[] {
  const violations: Violation[] = [];
  for (const path of files) {
    const reason = partOf(path, LAYERS) === undefined
      ? "is outside the table of layers"
      : reached.has(path)
      ? undefined
      : "is reached from no entry point of the program";
    if (reason !== undefined) violations.push({ path, line: 1, reason });
  }
  for (const [path, count] of countByFolder(files)) {
    if (count <= MOST_FILES || LARGE.includes(path)) continue;
    violations.push({
      path,
      line: 1,
      reason: `has ${count} files of its own; ${MOST_FILES} is the most`,
    });
  }
  return violations;
}

/**
 * Checks a tree against the tables of this file.
 *
 * @param root the folder that holds `deno.json`, `main.ts` and `src`
 * @throws {Error} when the graph cannot be read
 */
export async function checkLayers(root: string): Promise<Findings> {
  const folder = await Deno.realPath(root);
  const { imports = {} }: { imports?: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${folder}/deno.json`),
  );
  const { references, modules } = await Graph.read(folder);
  const files = await modulesUnder(folder, "src");
  const violations = misplaced(files, modules);
  for (const reference of references) {
    const reason = breachOf(reference, Object.keys(imports));
    if (reason === undefined) continue;
    violations.push({ path: reference.from, line: reference.line, reason });
  }
  const circles = findCircles(references);
  const between = references.filter(({ from, target, asset }) =>
    !asset && isInside(from, "src") && target !== undefined && isInside(target, "src") &&
    folderOf(from) !== folderOf(target)
  );
  const upward = references.filter(({ from, target }) =>
    target !== undefined && DIRECT[target] !== from && breachOfLayer(from, target) !== undefined
  );
  return {
    violations: [...violations, ...circles].sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line
    ),
    files: files.length,
    folders: countByFolder(files).size,
    importsBetweenFolders: between.length,
    circles: circles.length,
    upward: upward.length,
  };
}

/**
 * The packages that the program imports, its workers included, by their names in `deno.json`; all
 * others are of tests and scripts.
 *
 * @param root the folder that holds `deno.json`, `main.ts` and `src`
 * @throws {Error} when the graph cannot be read
 */
export async function runtimePackages(root: string): Promise<ReadonlySet<string>> {
  const { references } = await Graph.read(await Deno.realPath(root));
  const packages = references.filter(({ target, specifier }) =>
    target === undefined && !/^(\.|node:)/.test(specifier)
  );
  return new Set(packages.map(({ specifier }) => specifier));
}

if (import.meta.main) {
  const { violations, ...counts } = await checkLayers(".");
  const lines = violations.map(({ path, line, reason }) => `${path}:${line}: ${reason}\n`);
  lines.push(
    `src: ${counts.files} files in ${counts.folders} folders, ` +
      `${counts.importsBetweenFolders} imports between folders; ` +
      `circles: ${counts.circles}, upward: ${counts.upward}\n`,
  );
  Deno.stdout.writeSync(new TextEncoder().encode(lines.join("")));
  if (violations.length > 0) Deno.exit(1);
}
