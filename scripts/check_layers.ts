/**
 * Fails when a layer of the source tree reaches the wrong way.
 *
 * ```sh
 * deno run --allow-read=. scripts/check_layers.ts
 * ```
 *
 * Reads `main.ts` and every module under `src/`: static and dynamic imports, re-exports, and files
 * named by `new URL("…", import.meta.url)` (workers, WebAssembly). Prints one line per violation,
 * `path:line: reason`, and exits 1 when there is one.
 *
 * @module
 */

/**
 * Which part of the tree may import which other parts; every part may import itself.
 *
 * A module belongs to the part with the longest name that its path starts with.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["src/cli", "src/cli/process/version.ts"],
  "src/cli": [
    "src/cli/process/version.ts",
    "src/infrahub",
    "src/environment",
    "src/archive",
    "src/kloset",
    "src/kernels",
    "deno.json",
  ],
  // For a program that is asked for its version alone, and loads nothing else.
  "src/cli/process/version.ts": ["deno.json"],
  "src/infrahub": ["src/environment", "src/archive", "src/kloset"],
  "src/environment": [],
  "src/archive": [],
  "src/kloset": [
    "src/kloset/errors.ts",
    "src/kloset/format",
    "src/kloset/store",
    "src/kloset/index",
    "src/kernels",
  ],
  "src/kloset/errors.ts": [],
  "src/kloset/format": [],
  "src/kloset/store": ["src/kloset/errors.ts"],
  "src/kloset/index": ["src/kloset/format", "src/kloset/errors.ts"],
  "src/kernels": [],
  // The program's version is the package's; told by the command line alone.
  "deno.json": [],
};

/** Packages that only one part may import, so that they can be swapped. */
const CONFINED: Readonly<Record<string, string>> = {
  "commander": "src/cli",
  "@commander-js/extra-typings": "src/cli",
};

/** Parts that may write to the console. */
const MAY_USE_CONSOLE: readonly string[] = ["src/cli"];

/** Parts that may end the process. */
const MAY_EXIT: readonly string[] = ["main.ts", "src/cli"];

/** Not part of the program: sources in another language that happen to end in `.ts`. */
const IGNORED: readonly string[] = ["src/kernels/assembly"];

const MODULE = /\.[mc]?[jt]sx?$/;

/** One breach of the rules. */
export interface Violation {
  /** Path of the module, relative to the root. */
  readonly path: string;
  /** Line in it, from 1. */
  readonly line: number;
  /** Which rule is broken, and how. */
  readonly reason: string;
}

interface Token {
  readonly kind: "word" | "string" | "punctuation";
  readonly text: string;
  readonly line: number;
}

interface Reference {
  readonly specifier: string;
  readonly line: number;
  /** A file named by `new URL(…, import.meta.url)`, not an import. */
  readonly asset: boolean;
}

// Comments first, so that quotes and imports inside them are passed over.
const LEXEME =
  /\/\/.*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\p{L}_$#][\p{L}\p{N}_$]*|[0-9][\p{L}\p{N}_.]*|`|\S/gu;

/** Words and punctuation after which a slash begins a regular expression, not a division. */
const BEFORE_EXPRESSION =
  /^(?:[(,=:[!&|?{};+\-*%~^<>]|return|typeof|case|in|of|do|else|void|yield|await)$/;

/** The tokens of a module, without comments; template literals give those of their `${…}`. */
function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let line = 1;
  const advance = (to: number) => {
    for (; position < to; position++) if (source[position] === "\n") line++;
  };
  // For each open template literal, how many braces are open inside its current `${…}`.
  const templates: number[] = [];
  const skipTemplateText = () => {
    let at = position;
    while (at < source.length) {
      if (source[at] === "\\") at += 2;
      else if (source[at] === "`") {
        advance(at + 1);
        templates.pop();
        return;
      } else if (source.startsWith("${", at)) {
        advance(at + 2);
        return;
      } else at++;
    }
    advance(source.length);
  };
  while (position < source.length) {
    LEXEME.lastIndex = position;
    const match = LEXEME.exec(source);
    if (match === null) break;
    advance(match.index);
    const text = match[0];
    const depth = templates.at(-1);
    if (text === "`") {
      advance(position + 1);
      templates.push(0);
      skipTemplateText();
      continue;
    }
    if (depth !== undefined && text === "}" && depth === 0) {
      advance(position + 1);
      skipTemplateText();
      continue;
    }
    if (depth !== undefined && text === "{") templates[templates.length - 1] = depth + 1;
    if (depth !== undefined && text === "}") templates[templates.length - 1] = depth - 1;
    if (text.startsWith("//") || text.startsWith("/*")) {
      advance(position + text.length);
      continue;
    }
    const before = tokens.at(-1);
    if (text === "/" && (before === undefined || BEFORE_EXPRESSION.test(before.text))) {
      const pattern = /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\p{L}*/uy;
      pattern.lastIndex = position;
      const end = pattern.exec(source);
      if (end !== null) {
        advance(position + end[0].length);
        tokens.push({ kind: "punctuation", text: "/…/", line });
        continue;
      }
    }
    const quoted = text.startsWith('"') || text.startsWith("'");
    const kind = quoted ? "string" : /^[\p{L}_$#]/u.test(text) ? "word" : "punctuation";
    tokens.push({ kind, text: quoted ? text.slice(1, -1) : text, line });
    advance(position + text.length);
  }
  return tokens;
}

function referencesOf(tokens: readonly Token[]): Reference[] {
  const references: Reference[] = [];
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    const previous = tokens[at - 1];
    if (token.kind !== "word" || next === undefined || previous?.text === ".") return;
    const after = tokens[at + 2];
    if (token.text === "import" && next.kind === "string") {
      references.push({ specifier: next.text, line: next.line, asset: false });
    } else if (token.text === "import" && next.text === "(" && after?.kind === "string") {
      references.push({ specifier: after.text, line: after.line, asset: false });
    } else if (token.text === "from" && next.kind === "string") {
      references.push({ specifier: next.text, line: next.line, asset: false });
    } else if (token.text === "URL" && next.text === "(" && after?.kind === "string") {
      const base = tokens.slice(at + 3, at + 9).map(({ text }) => text).join("");
      if (base.startsWith(",import.meta.url")) {
        references.push({ specifier: after.text, line: after.line, asset: true });
      }
    }
  });
  return references;
}

function isInside(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}/`);
}

/** The part of the tree that a path belongs to. */
function partOf(path: string): string | undefined {
  return Object.keys(ALLOWED)
    .filter((part) => isInside(path, part))
    .sort((a, b) => b.length - a.length)[0];
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** Resolves a relative specifier against the path of the module that holds it. */
function resolve(from: string, specifier: string): string {
  const parts = folderOf(from).split("/").filter((part) => part !== "");
  for (const part of specifier.split("/")) {
    if (part === "..") parts.length === 0 ? parts.push("..") : parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function breachOfPackage(part: string, specifier: string, mapped: readonly string[]) {
  if (/^(npm|jsr|https?):/.test(specifier)) {
    return `"${specifier}" is no mapped name: add it to the imports of deno.json`;
  }
  if (specifier.startsWith("node:")) return undefined;
  const owner = mapped.find((name) =>
    name.endsWith("/") ? specifier.startsWith(name) : specifier === name
  );
  if (owner === undefined) return `"${specifier}" is not in the imports of deno.json`;
  const only = CONFINED[owner];
  if (only !== undefined && part !== only) return `only ${only} may import "${specifier}"`;
  return undefined;
}

function breachOfModule(path: string, part: string, target: string, asset: boolean) {
  const targetPart = partOf(target);
  if (targetPart === undefined) return `${target} is outside the table of layers`;
  if (targetPart !== part && !(ALLOWED[part] ?? []).includes(targetPart)) {
    return `${part} may not import ${targetPart}`;
  }
  // A module may name files of its own folder and of those around it within its layer; any other
  // folder it knows by its table of contents alone. A file with a row of its own stands for itself.
  if (asset || !MODULE.test(target)) return undefined;
  const folder = folderOf(target);
  const layer = path.split("/").slice(0, 2).join("/");
  const around = isInside(folderOf(path), folder) && isInside(folder, layer);
  if (!around && !target.endsWith("/mod.ts") && target !== targetPart) {
    return `${folder} is imported through its mod.ts, not through ${target}`;
  }
  return undefined;
}

function checkModule(path: string, source: string, mapped: readonly string[]): Violation[] {
  const part = partOf(path);
  if (part === undefined) return [{ path, line: 1, reason: "is outside the table of layers" }];
  const violations: Violation[] = [];
  const tokens = tokenize(source);
  for (const { specifier, line, asset } of referencesOf(tokens)) {
    const reason = asset || specifier.startsWith(".")
      ? breachOfModule(path, part, resolve(path, specifier), asset)
      : breachOfPackage(part, specifier, mapped);
    if (reason !== undefined) violations.push({ path, line, reason });
  }
  tokens.forEach(({ kind, text, line }, at) => {
    const next = tokens[at + 1]?.text;
    if (kind !== "word" || tokens[at - 1]?.text === ".") return;
    if (text === "console" && next === "." && !MAY_USE_CONSOLE.includes(part)) {
      violations.push({ path, line, reason: `${part} may not use the console` });
    }
    const exits = text === "Deno" && next === "." && tokens[at + 2]?.text === "exit";
    if (exits && !MAY_EXIT.includes(part)) {
      violations.push({ path, line, reason: `${part} may not end the process` });
    }
  });
  return violations;
}

async function modulesUnder(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (IGNORED.some((ignored) => isInside(path, ignored))) continue;
    if (isDirectory) found.push(...await modulesUnder(root, path));
    else if (MODULE.test(name)) found.push(path);
  }
  return found;
}

/**
 * Checks a tree against the tables of this file.
 *
 * @param root the folder that holds `deno.json`, `main.ts` and `src`
 * @returns violations, by path and line; empty when there are none
 */
export async function checkLayers(root: string): Promise<Violation[]> {
  const { imports = {} }: { imports?: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${root}/deno.json`),
  );
  const violations: Violation[] = [];
  for (const path of ["main.ts", ...(await modulesUnder(root, "src")).sort()]) {
    const source = await Deno.readTextFile(`${root}/${path}`);
    violations.push(...checkModule(path, source, Object.keys(imports)));
  }
  return violations;
}

if (import.meta.main) {
  const violations = await checkLayers(".");
  const lines = violations.map(({ path, line, reason }) => `${path}:${line}: ${reason}\n`);
  Deno.stdout.writeSync(new TextEncoder().encode(lines.join("")));
  if (violations.length > 0) Deno.exit(1);
}
