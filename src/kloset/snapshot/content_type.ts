/** MIME types by file name extension: those of the files that dumps and archives are made of. */
const TYPES: Readonly<Record<string, string>> = {
  csv: "text/csv",
  gz: "application/gzip",
  json: "application/json",
  log: "text/plain",
  md: "text/markdown",
  sql: "application/sql",
  tar: "application/x-tar",
  txt: "text/plain",
  xml: "text/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
  zst: "application/zstd",
};

/** The MIME type of a file of this name; readers only show it. */
export function contentTypeByName(path: string): string {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  return TYPES[extension] ?? "application/octet-stream";
}
