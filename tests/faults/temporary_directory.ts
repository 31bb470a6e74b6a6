/** A directory that is removed when disposed of. */
export class TemporaryDirectory implements AsyncDisposable {
  /** Absolute path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one. */
  static async make(): Promise<TemporaryDirectory> {
    return new TemporaryDirectory(await Deno.makeTempDir({ prefix: "kloset-test-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }

  /** Path of something in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Paths of all files below a folder, relative to it, in order. */
  files(folder = "."): Promise<string[]> {
    return Promise.resolve(
      [...entriesBelow(this.at(folder), "")]
        .filter(({ isDirectory }) => !isDirectory).map(({ path }) => path).sort(),
    );
  }

  /** Everything below it with kind, size and times: equal listings mean that nothing was written. */
  listing(): Promise<string[]> {
    return Promise.resolve(
      [...entriesBelow(this.path, "")].map(({ path }) => {
        const { size, mtime, ctime, mode, isFile } = Deno.lstatSync(this.at(path));
        return [path, isFile, size, mode, mtime?.getTime(), ctime?.getTime()].join(" ");
      }).sort(),
    );
  }
}

function* entriesBelow(
  root: string,
  folder: string,
): Generator<{ path: string; isDirectory: boolean }> {
  for (const { name, isDirectory } of Deno.readDirSync(`${root}/${folder}`)) {
    const path = `${folder}${name}`;
    yield { path, isDirectory };
    if (isDirectory) yield* entriesBelow(root, `${path}/`);
  }
}
