import { type Dump, writeAt } from "./dump.ts";
import { Random } from "./random.ts";

/** Rows that are made and written at a time: one data block of the dump. */
const ROWS_PER_BLOCK = 2048;

const CHANGED_SHARE = 0.01;

const FLOWS = ["git-sync", "artifact-generate", "proposed-change-run", "schema-migrate"] as const;
const STATES = ["COMPLETED", "RUNNING", "PENDING", "FAILED", "SCHEDULED", "CANCELLED"] as const;
const LEVELS = ["20 INFO", "10 DEBUG", "30 WARNING", "40 ERROR"] as const;
const EVENTS = ["created", "updated", "deleted", "merged", "validated"] as const;

interface Table {
  readonly name: string;
  readonly blocks: number;
  /** A row as COPY writes it; its length must not depend on `generation`. */
  readonly row: (number: number, random: Random, generation: number) => string;
}

/** A time that grows with the row's number; only its last digits depend on `generation`. */
function timeOf(number: number, random: Random, generation: number): string {
  const time = new Date(Date.UTC(2025, 0, 1) + number * 1_700).toISOString();
  const micros = String(random.below(500_000) + (generation - 1) * 400_000).padStart(6, "0");
  return `${time.slice(0, 10)} ${time.slice(11, 19)}.${micros}+00`;
}

const TABLES: readonly Table[] = [
  {
    name: "flow_run",
    blocks: 14,
    row: (number, random, generation) =>
      [
        random.uuid(),
        timeOf(number, random, 1),
        timeOf(number + 9, random, generation),
        `${random.pick(FLOWS)}-${random.below(1000)}`,
        random.pick(STATES),
        String(1 + random.below(3)),
        `{"branch": "main", "repository_id": "${random.uuid()}"}`,
        "\\N",
        "infrahub-worker",
      ].join("\t"),
  },
  {
    name: "task_run_state",
    blocks: 40,
    row: (number, random, generation) =>
      [
        random.uuid(),
        timeOf(number, random, generation),
        random.pick(STATES),
        random.uuid(),
        `{"retries": ${random.below(3)}, "task_parameters_id": "${random.uuid()}"}`,
        "\\N",
      ].join("\t"),
  },
  {
    name: "log",
    blocks: 90,
    row: (number, random, generation) => {
      const [level = "", name] = random.pick(LEVELS).split(" ");
      return [
        random.uuid(),
        `prefect.flow_runs.${random.pick(FLOWS)}`,
        level,
        `${name} Processing node ${random.uuid()} of kind InfraInterface, ` +
        `attempt ${random.below(5)}, ${random.pick(STATES).toLowerCase()}`,
        timeOf(number, random, generation),
        random.uuid(),
      ].join("\t");
    },
  },
  {
    name: "event",
    blocks: 40,
    row: (number, random, generation) =>
      [
        random.uuid(),
        timeOf(number, random, generation),
        `infrahub.node.${random.pick(EVENTS)}`,
        `{"prefect.resource.id": "infrahub.node.${random.uuid()}", "infrahub.branch": "main"}`,
        "[]",
      ].join("\t"),
  },
];

const encoder = new TextEncoder();

/** An integer as pg_dump writes it: a byte for the sign, then four, little-endian. */
function integer(value: number): Uint8Array {
  const bytes = new Uint8Array(5);
  new DataView(bytes.buffer).setInt32(1, value, true);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A text as pg_dump writes it: its length, then its bytes; a length of -1 where there is none. */
function string(text: string | undefined): Uint8Array {
  if (text === undefined) return Uint8Array.of(1, 1, 0, 0, 0);
  const bytes = encoder.encode(text);
  return concat([integer(bytes.length), bytes]);
}

/** What stands in the table of contents for the rows of a table. */
function contentsEntry(name: string, id: number): Uint8Array {
  const isData = 3;
  return concat([
    integer(id),
    integer(1), // it has data
    string("0"), // no table and no object of a catalogue
    string("0"),
    string(name),
    string("TABLE DATA"),
    integer(isData),
    string(""),
    string(""),
    string(`COPY public.${name} FROM stdin;\n`),
    string("public"),
    string(undefined), // tablespace
    string(undefined), // access method
    string("prefect"),
    string("false"), // whether rows have object numbers
    string(undefined), // depends on nothing
    Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0), // where its data is: not known, as in a stream
  ]);
}

/**
 * The header and table of contents of a custom-format archive of version 1.14, not compressed, with
 * integers of 4 and offsets of 8 bytes: "pg_restore --list" reads it.
 */
function header(): Uint8Array {
  return concat([
    encoder.encode("PGDMP"),
    Uint8Array.of(1, 14, 0, 4, 8, 1),
    integer(0), // not compressed
    ...[0, 0, 12, 31, 9, 125, 0].map(integer), // 2025-10-31 12:00:00
    string("prefect"),
    string("15.4"),
    string("15.4"),
    integer(TABLES.length),
    ...TABLES.map(({ name }, table) => contentsEntry(name, table + 1)),
  ]);
}

/** Where a data block is in the file. */
interface Block {
  readonly table: number;
  readonly firstRow: number;
  readonly offset: number;
}

/** A file like that of `pg_dump -Fc -Z0` of Prefect's database, rows as text: about 80 MB. */
export class PostgresDump implements Dump {
  readonly #path: string;
  readonly #seed: number;
  readonly #blocks: Block[] = [];

  /** @param path does not exist yet */
  constructor(path: string, seed: number) {
    this.#path = path;
    this.#seed = seed;
  }

  async create(signal: AbortSignal): Promise<number> {
    using file = await Deno.open(this.#path, { write: true, createNew: true });
    let offset = 0;
    const append = async (bytes: Uint8Array) => {
      await writeAt(file, bytes, offset);
      offset += bytes.length;
    };
    await append(header());
    for (const [table, { blocks }] of TABLES.entries()) {
      // A data section and the id of its entry in the table of contents.
      await append(concat([Uint8Array.of(1), integer(table + 1)]));
      for (let block = 0; block < blocks; block++) {
        signal.throwIfAborted();
        const firstRow = block * ROWS_PER_BLOCK;
        this.#blocks.push({ table, firstRow, offset });
        await append(this.#block(table, firstRow, 1));
      }
      await append(integer(0));
    }
    return offset;
  }

  async change(signal: AbortSignal): Promise<number> {
    using file = await Deno.open(this.#path, { write: true });
    const changed = Math.round(this.#blocks.length * CHANGED_SHARE);
    const first = new Random(this.#seed, TABLES.length).below(this.#blocks.length - changed);
    let bytes = 0;
    for (const { table, firstRow, offset } of this.#blocks.slice(first, first + changed)) {
      signal.throwIfAborted();
      const block = this.#block(table, firstRow, 2);
      await writeAt(file, block, offset);
      bytes += block.length;
    }
    return bytes;
  }

  #block(table: number, firstRow: number, generation: number): Uint8Array {
    const row = TABLES[table]?.row ?? (() => "");
    let rows = "";
    for (let number = firstRow; number < firstRow + ROWS_PER_BLOCK; number++) {
      rows += row(number, new Random(this.#seed, table, number), generation) + "\n";
    }
    const text = encoder.encode(rows);
    return concat([integer(text.length), text]);
  }
}
