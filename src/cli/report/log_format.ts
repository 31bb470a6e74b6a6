import { formatLocalTime, type ReportFields } from "../../infrahub/mod.ts";

/** Severities, as they are written. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** What a line of the log is: something that happened, the error that ended the run, or progress. */
export type LogLineType = "log" | "error" | "progress";

/** One line of the log. */
export interface LogEntry {
  readonly type: LogLineType;
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: ReportFields;
}

/** ANSI colours of the levels. */
const COLOURS: Readonly<Record<LogLevel, number>> = { debug: 37, info: 36, warning: 33, error: 31 };

/** Width to which a message is padded before its fields, on a terminal. */
const MESSAGE_WIDTH = 44;

/** `time="…" level=info msg="…" key=value`: for files and pipes. */
export function formatPlain(entry: LogEntry): string {
  const pairs: [string, string][] = [
    ["time", formatLocalTime(entry.time)],
    ["level", entry.level],
    ["msg", entry.message],
    ...textFields(entry),
  ];
  return pairs.map(([key, value]) => `${key}=${quoteIfNeeded(value)}`).join(" ") + "\n";
}

/** `INFO[…] message   key=value`: for people. */
export function formatTerminal(entry: LogEntry, coloured: boolean): string {
  const paint = (text: string) => coloured ? `\x1b[${COLOURS[entry.level]}m${text}\x1b[0m` : text;
  const level = paint(entry.level.slice(0, 4).toUpperCase());
  const fields = textFields(entry).map(([key, value]) => ` ${paint(key)}=${quoteIfNeeded(value)}`);
  const message = fields.length > 0 ? entry.message.padEnd(MESSAGE_WIDTH) + " " : entry.message;
  return `${level}[${formatLocalTime(entry.time)}] ${message}${fields.join("")}\n`;
}

/** One JSON object per line, keys sorted. */
export function formatJson(entry: LogEntry): string {
  const content: Record<string, unknown> = {
    ...entry.fields,
    level: entry.level,
    msg: entry.message,
    time: formatLocalTime(entry.time),
    type: entry.type,
  };
  const sorted = Object.fromEntries(
    Object.keys(content).sort().map((key) => [key, content[key]]),
  );
  // As Go's encoder: the line may be put into a web page as it is.
  return JSON.stringify(sorted).replace(
    /[<>&]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  ) + "\n";
}

/** Fields in a text; the message of a progress line says the same in words. */
function textFields({ type, fields }: LogEntry): [string, string][] {
  if (type === "progress") return [];
  return Object.entries(fields)
    .map(([key, value]): [string, string] => [
      key,
      typeof value === "object" ? `[${value.join(" ")}]` : String(value),
    ])
    .sort(([a], [b]) => a < b ? -1 : 1);
}

function quoteIfNeeded(value: string): string {
  return /^[A-Za-z0-9\-._/@^+]*$/.test(value) ? value : quote(value);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

/** A Go string literal. */
function quote(value: string): string {
  const escaped = value.replace(
    /["\\\p{Cc}]/gu,
    (character) =>
      ESCAPES.get(character) ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}
