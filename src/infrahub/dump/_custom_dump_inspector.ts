import { ByteFeeder, type ByteParser, ParseProblem } from "./_byte_parser.ts";
import type { DumpInspector, DumpVerdict } from "./inspector.ts";
import {
  ContentsCollector,
  isDefinitionOfUse,
  type PostgresDumpContents,
} from "./postgres_contents.ts";

/**
 * Layout of a custom-format archive of `pg_dump`, as far as it is looked at:
 *
 * | Part | Content |
 * |---|---|
 * | magic | `PGDMP` |
 * | version | major, minor, revision: one byte each |
 * | sizes | bytes of an integer, bytes of an offset: one byte each |
 * | format | 1 for custom |
 * | compression | an integer; since 1.15 one byte |
 * | time | seven integers |
 * | strings | database, version of the server, version of `pg_dump` |
 * | contents | an integer, then so many entries |
 * | data | blocks until the end of the file |
 *
 * An integer is a sign byte and its bytes, the lowest first. A string is its length and its bytes;
 * a length of -1 stands for none. An offset is a flag byte and its bytes.
 *
 * A block is its type (1 data, 3 large objects), the id of its entry, and its content: chunks of a
 * length and so many bytes, until a length of 0. Large objects are each their number and such a
 * content, until a number of 0. Every entry that has data has one block: one that is missing shows
 * that the file was cut, even where the cut is between two blocks.
 */
const MAGIC = "PGDMP";
const FORMAT_CUSTOM = 1;
const BLOCK_DATA = 1;
const BLOCK_LARGE_OBJECTS = 3;
/** The sign of its number of entries; no block has such a type. */
const FIRST_BYTE_OF_CONTENTS = 0;
const OFFSET_NO_DATA = 3;
/** As minor versions of 1: PostgreSQL 9.0 has 11, 12 has 14, 16 has 15, 17 has 16. */
const OLDEST = 10;
const NEWEST = 16;
/** Nobody writes a longer string or chunk: a length like that is damage. */
const MAX_LENGTH = 0x7fffffff;
/** Texts of the table of contents that are kept; what is longer is passed over. */
const MAX_TEXT = 1 << 20;

/** Follows a PostgreSQL dump through header, contents and data to its end. */
export class CustomDumpInspector implements DumpInspector {
  readonly #feeder = new ByteFeeder(
    "the PostgreSQL dump",
    parseArchive((contents) => this.#postgres = contents),
  );
  #postgres: PostgresDumpContents | undefined;

  get postgres(): PostgresDumpContents | undefined {
    return this.#postgres;
  }

  observe(bytes: Uint8Array): void {
    this.#feeder.observe(bytes);
  }

  finish(): DumpVerdict {
    return this.#feeder.finish();
  }
}

function* parseArchive(
  onContents: (contents: PostgresDumpContents) => void,
): ByteParser<DumpVerdict> {
  const magic = yield { kind: "take", length: MAGIC.length, what: "its header" };
  if (new TextDecoder("latin1").decode(magic) !== MAGIC) {
    throw new ParseProblem(`does not begin with ${MAGIC}`);
  }
  const [major = 0, minor = 0, , integerSize = 0, offsetSize = 0, format = 0] = yield* take(
    6,
    "its header",
  );
  const version = `${major}.${minor}`;
  const name = `PostgreSQL custom-format dump ${version}`;
  if (format !== FORMAT_CUSTOM) throw new ParseProblem(`is not of the custom format (${format})`);
  if (major !== 1 || minor < OLDEST || minor > NEWEST) {
    yield { kind: "rest" };
    if (major > 1 || minor > NEWEST) {
      onContents(
        new ContentsCollector().finish({
          formatMinor: major === 1 ? minor : Infinity,
          database: "",
          serverVersion: "",
          programVersion: "",
        }),
      );
    }
    return { format: name, limitation: `The layout of version ${version} is not known here` };
  }
  if (integerSize < 1 || integerSize > 8 || offsetSize < 1 || offsetSize > 8) {
    throw new ParseProblem("has impossible sizes in its header");
  }
  const reader = new Reader(integerSize, offsetSize);
  const header = yield* parseHeader(reader, minor);
  const collector = new ContentsCollector();
  const expected = yield* parseContents(reader, minor, collector);
  onContents(collector.finish(header));
  yield* parseBlocks(reader, expected);
  if ((yield { kind: "more" }).byteLength > 0) {
    yield* parseContents(reader, minor, new ContentsCollector());
  }
  return { format: name };
}

type Header = Pick<
  PostgresDumpContents,
  "formatMinor" | "database" | "serverVersion" | "programVersion"
>;

function* parseHeader(reader: Reader, minor: number): ByteParser<Header> {
  const what = "its header";
  if (minor >= 15) yield* take(1, what);
  else yield* reader.integer(what);
  for (let field = 0; field < 7; field++) yield* reader.integer(what);
  return {
    formatMinor: minor,
    database: yield* reader.string(what),
    serverVersion: yield* reader.string(what),
    programVersion: yield* reader.string(what),
  };
}

/** @returns ids of the entries that have data */
function* parseContents(
  reader: Reader,
  minor: number,
  collector: ContentsCollector,
): ByteParser<Set<number>> {
  const what = "its table of contents";
  const count = yield* reader.integer(what);
  if (count < 0) throw new ParseProblem("has a damaged table of contents");
  const withData = new Set<number>();
  for (let entry = 0; entry < count; entry++) {
    const id = yield* reader.integer(what);
    yield* reader.integer(what); // whether it has data; the offset below says it as well
    // table and object number
    for (let text = 0; text < 2; text++) yield* reader.skipString(what);
    const name = yield* reader.string(what);
    const kind = yield* reader.string(what);
    if (minor >= 11) yield* reader.integer(what); // section
    let definition = "";
    if (isDefinitionOfUse(kind, name)) definition = yield* reader.string(what);
    else yield* reader.skipString(what);
    // statement to drop it, statement to copy into it, schema
    for (let text = 0; text < 3; text++) yield* reader.skipString(what);
    const tablespace = yield* reader.string(what);
    if (minor >= 14) yield* reader.skipString(what); // access method
    if (minor >= 16) yield* reader.integer(what); // kind of relation
    const owner = yield* reader.string(what);
    collector.add({ name, kind, owner, tablespace, definition });
    yield* reader.skipString(what); // whether it has object numbers
    while (yield* reader.skipString(what)); // what it depends on
    const [flag] = yield* take(1 + reader.offsetSize, what);
    if (flag !== OFFSET_NO_DATA) withData.add(id);
  }
  return withData;
}

function* parseBlocks(reader: Reader, expected: Set<number>): ByteParser<void> {
  while (true) {
    const next = yield { kind: "more" };
    if (next.byteLength === 0 || next[0] === FIRST_BYTE_OF_CONTENTS) break;
    const [type] = yield* take(1, "a block");
    const id = yield* reader.integer("a block");
    if (type === BLOCK_DATA) {
      yield* reader.skipChunks();
    } else if (type === BLOCK_LARGE_OBJECTS) {
      while ((yield* reader.integer("large objects")) !== 0) yield* reader.skipChunks();
    } else {
      throw new ParseProblem(`has a block of unknown type ${type}`);
    }
    if (!expected.delete(id)) throw new ParseProblem(`has a block for unknown entry ${id}`);
  }
  if (expected.size > 0) {
    throw new ParseProblem(`ends without the data of ${expected.size} entries`);
  }
}

/** Reads numbers and strings of the sizes that the header named. */
class Reader {
  readonly #integerSize: number;
  readonly offsetSize: number;

  constructor(integerSize: number, offsetSize: number) {
    this.#integerSize = integerSize;
    this.offsetSize = offsetSize;
  }

  *integer(what: string): ByteParser<number> {
    const bytes = yield { kind: "take", length: 1 + this.#integerSize, what };
    let value = 0;
    for (let at = this.#integerSize; at >= 1; at--) value = value * 256 + (bytes[at] ?? 0);
    const sign = bytes[0] ?? 0;
    if (sign > 1) throw new ParseProblem(`has a damaged number in ${what}`);
    return sign === 1 ? -value : value;
  }

  /** Empty for none, and for one that is too long to be kept. */
  *string(what: string): ByteParser<string> {
    const length = yield* this.integer(what);
    if (length < 0) return "";
    if (length > MAX_LENGTH) throw new ParseProblem(`has a damaged length in ${what}`);
    if (length > MAX_TEXT) {
      yield { kind: "skip", length, what };
      return "";
    }
    return new TextDecoder().decode(yield { kind: "take", length, what });
  }

  /** @returns whether there was a string */
  *skipString(what: string): ByteParser<boolean> {
    const length = yield* this.integer(what);
    if (length < 0) return false;
    if (length > MAX_LENGTH) throw new ParseProblem(`has a damaged length in ${what}`);
    yield { kind: "skip", length, what };
    return true;
  }

  *skipChunks(): ByteParser<void> {
    const what = "a block of data";
    while (true) {
      const length = yield* this.integer(what);
      if (length === 0) return;
      if (length < 0 || length > MAX_LENGTH) {
        throw new ParseProblem("has a damaged length in a block of data");
      }
      yield { kind: "skip", length, what };
    }
  }
}

function* take(length: number, what: string): ByteParser<Uint8Array> {
  return yield { kind: "take", length, what };
}
