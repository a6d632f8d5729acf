import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UsageError } from "../failure.ts";
import { readAll } from "../input.ts";

/** A place vCons come from. */
export interface Source {
  /** As the user may name it; `-` is standard input. */
  readonly name: string;
  readonly path: string | undefined;
  /** Bytes; undefined where nobody knows. */
  readonly size: number | undefined;
  /** Changes when the file does; with the path it says what a journal is about. */
  readonly fingerprint: string;
}

/** One vCon as it was found. */
export interface VconRecord {
  readonly source: Source;
  /** Line it begins at, from 1. */
  readonly line: number;
  /** JSON text without line breaks. */
  readonly text: string;
  /** Bytes of the source that it takes up. */
  readonly bytes: number;
}

const DOCUMENTS = /\.(json|vcon)$/i;
const LINES = /\.(ndjson|jsonl)$/i;

/** The files behind names of the command line: files themselves, and what lies in folders, in order. */
export async function sourcesOf(names: readonly string[], pathOf: (name: string) => string): Promise<Source[]> {
  const sources: Source[] = [];
  for (const name of names) {
    if (name === "-") sources.push({ name, path: undefined, size: undefined, fingerprint: "" });
    else sources.push(...(await sourcesAt(name, pathOf(name))));
  }
  return sources;
}

async function sourcesAt(name: string, path: string): Promise<Source[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${name} cannot be read (${error.code ?? error.message})`);
  });
  if (!found.isDirectory()) return [fileSource(name, path, found)];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && (DOCUMENTS.test(entry.name) || LINES.test(entry.name)));
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  if (paths.length === 0) throw new UsageError(`${name} holds no .json, .vcon, .ndjson or .jsonl file`);
  return Promise.all(paths.map(async (file) => fileSource(file, file, await stat(file))));
}

const fileSource = (
  name: string,
  path: string,
  { size, mtimeMs }: { readonly size: number; readonly mtimeMs: number },
): Source => ({
  name,
  path,
  size,
  fingerprint: `${size}-${Math.floor(mtimeMs)}`,
});

/** The vCons of all sources, one after the other; only files of lines are longer than memory allows. */
export async function* recordsOf(
  sources: readonly Source[],
  stdin: AsyncIterable<Uint8Array>,
): AsyncGenerator<VconRecord> {
  for (const source of sources) {
    if (source.path === undefined) yield* recordsOfText(source, await readAll(stdin));
    else if (LINES.test(basename(source.path))) yield* recordsOfLines(source, createReadStream(source.path, "utf8"));
    else yield* recordsOfText(source, await readFile(source.path, "utf8"));
  }
}

/** One document, unless it is none and the first line is: then every line is one. */
function* recordsOfText(source: Source, text: string): Generator<VconRecord> {
  const lines = text.split("\n");
  if (!isJson(text) && isJson(lines[0] ?? "")) {
    for (const [at, line] of lines.entries()) if (line.trim() !== "") yield recordOf(source, at + 1, line);
  } else yield recordOf(source, 1, text);
}

async function* recordsOfLines(source: Source, chunks: AsyncIterable<string>): AsyncGenerator<VconRecord> {
  let line = 0;
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      line += 1;
      if (part.trim() !== "") yield recordOf(source, line, part);
    }
  }
  if (rest.trim() !== "") yield recordOf(source, line + 1, rest);
}

const recordOf = (source: Source, line: number, text: string): VconRecord => ({
  source,
  line,
  // JSON has no line breaks inside texts: between members they mean nothing
  text: text
    .replace(/^\uFEFF/, "")
    .replace(/[\r\n]+/g, " ")
    .trim(),
  bytes: Buffer.byteLength(text) + 1,
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
