import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { commitsFile } from "./commits.ts";

/**
 * A file beside the database that says how often it was opened: SQLite takes an emptied file for a new database and a
 * missing log for an empty one, which would be losing everything in silence. The database counts too, so that one that
 * has seen fewer openings than the mark has lost its log.
 */
const markOf = (folder: string): string => join(folder, "backend.mark");

/** Openings the mark knows of; undefined where there never was a database. */
export function readMark(folder: string): number | undefined {
  const mark = markOf(folder);
  return existsSync(mark) ? Number.parseInt(readFileSync(mark, "utf8"), 10) || 0 : undefined;
}

export function writeMark(folder: string, openings: number): void {
  const part = `${markOf(folder)}.part`;
  const handle = openSync(part, "w", 0o600);
  try {
    writeSync(handle, `${openings}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(part, markOf(folder));
}

/** Names what should be there and is not. */
export function missingFile(folder: string, file: string): string | undefined {
  if (sizeOf(file) > 0) return undefined;
  const log = `${file}-wal`;
  const witness = [markOf(folder), commitsFile(folder)].find((beside) => existsSync(beside));
  if (witness !== undefined) return `${file} is missing or empty although ${witness} says that it was in use`;
  // SQLite would delete the log and begin a new database
  return sizeOf(log) > 0 ? `${file} is missing or empty although its write-ahead log ${log} is there` : undefined;
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
