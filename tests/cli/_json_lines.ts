import { Ajv2020, type ValidateFunction } from "ajv";
import { assert } from "@std/assert";

const SCHEMA = JSON.parse(
  Deno.readTextFileSync(new URL("../../docs/schema/output.schema.json", import.meta.url)),
);

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
const validateLine = ajv.compile(SCHEMA);
const validateList = ajv.compile({ ...SCHEMA.$defs.snapshotsList, $defs: SCHEMA.$defs });

/** A line of the program's output. */
export type Line = Readonly<Record<string, unknown>>;

/** Parses the lines of a stream; each has to be an object of the schema. */
export function parseLines(text: string): Line[] {
  if (text === "") return [];
  assert(text.endsWith("\n"), `the last line has no end: ${text}`);
  return text.slice(0, -1).split("\n").map((line) => {
    const value = parse(line);
    requireValid(validateLine, value);
    return value;
  });
}

/** Parses what `snapshots list` writes. */
export function parseSnapshotsList(text: string): Line[] {
  const value = JSON.parse(text);
  requireValid(validateList, value);
  return value;
}

function parse(line: string): Line {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`not JSON: ${line}`, { cause: error });
  }
}

function requireValid(validate: ValidateFunction, value: unknown): void {
  if (validate(value)) return;
  throw new Error(`${ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`);
}
