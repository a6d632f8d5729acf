import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A file beside the database that says it exists, and whether it was closed in order: SQLite takes an emptied file for
 * a new database and a missing log for an empty one, which would be losing everything in silence.
 */
type Mark = "open" | "closed";

const markOf = (folder: string): string => join(folder, "backend.mark");

/** The mark beside a database; `undefined` where there never was one. */
export function readMark(file: string): Mark | undefined {
  const mark = markOf(dirname(file));
  if (!existsSync(mark)) return undefined;
  return readFileSync(mark, "utf8").trim() === "open" ? "open" : "closed";
}

export function writeMark(folder: string, mark: Mark): void {
  const part = `${markOf(folder)}.part`;
  const handle = openSync(part, "w", 0o600);
  try {
    writeSync(handle, `${mark}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(part, markOf(folder));
}

/** What should be there and is not. */
export function missingPart(folder: string, file: string): string | undefined {
  const mark = readMark(file);
  if (mark === undefined) return undefined;
  if (sizeOf(file) === 0) return `${file} is missing or empty although ${markOf(folder)} says that it was in use`;
  if (mark === "open" && sizeOf(`${file}-wal`) === 0) {
    return `${file}-wal, the log of the last changes, is missing or empty although the server was not closed in order`;
  }
  return undefined;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
