import { open, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "../failure.ts";
import type { Source, VconRecord } from "./records.ts";

/** What has been accepted so far, on disk: a sending that was interrupted goes on where it was. */
export interface Journal {
  has(record: VconRecord): boolean;
  /** Resolves when it is written. */
  add(records: readonly VconRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Where the vCons go; a journal of another destination is refused. */
export interface Destination {
  readonly url: string;
  readonly lists: readonly string[];
}

const keyOf = (source: Source): string => `${resolve(source.path ?? "")}|${source.fingerprint}`;

/** A journal that remembers nothing. */
export const noJournal: Journal = { has: () => false, add: async () => undefined, close: async () => undefined };

/**
 * Opens or creates the journal in `file`: the first line says where the vCons go, each further one
 * `[source, first line, last line, …]`. A last line that was cut off by a crash is ignored.
 */
export async function openJournal(file: string, destination: Destination): Promise<Journal> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw new UsageError(`the state in ${file} cannot be read (${error.code ?? error.message})`);
  });
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const [head, ...lines] = whole.split("\n").filter((line) => line !== "");
  const heading = JSON.stringify({ v: 1, ...destination });
  if (head !== undefined && head !== heading) {
    throw new UsageError(`${file} belongs to another sending (${head.slice(0, 200)}); name another file with --resume`);
  }
  const done = new Map<string, Set<number>>();
  for (const line of lines) remember(done, line, file);
  const handle = await open(file, "a");
  if (whole.length < text.length) await handle.truncate(Buffer.byteLength(whole));
  if (head === undefined) await handle.appendFile(`${heading}\n`);
  return {
    has: ({ source, line }) => done.get(keyOf(source))?.has(line) === true,
    async add(records) {
      const bySource = Map.groupBy(records, ({ source }) => keyOf(source));
      const text = [...bySource].map(
        ([key, group]) => `${JSON.stringify([key, ...rangesOf(group.map(({ line }) => line))])}\n`,
      );
      await handle.appendFile(text.join(""));
      await handle.datasync();
    },
    close: () => handle.close(),
  };
}

function remember(done: Map<string, Set<number>>, line: string, file: string): void {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    entry = undefined;
  }
  if (!Array.isArray(entry) || typeof entry[0] !== "string") {
    throw new UsageError(`${file} is not a state of \`vcon-server send\`; name another file with --resume`);
  }
  const numbers = entry.slice(1).map(Number);
  const lines = done.get(entry[0]) ?? new Set<number>();
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    for (let number = numbers[at] ?? 1; number <= (numbers[at + 1] ?? 0); number += 1) lines.add(number);
  }
  done.set(entry[0], lines);
}

/** `[1, 2, 3, 7]` as `[1, 3, 7, 7]`. */
export function rangesOf(lines: readonly number[]): number[] {
  const ranges: number[] = [];
  for (const line of [...lines].sort((a, b) => a - b)) {
    if (ranges.at(-1) === line - 1) ranges[ranges.length - 1] = line;
    else ranges.push(line, line);
  }
  return ranges;
}
