import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeText } from "@vcon-server/core/config";
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
  /** Why it cannot be sent as it stands. */
  readonly fault?: string;
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
    if (source.path === undefined) yield* recordsOfBytes(source, await readAll(stdin));
    else if (LINES.test(basename(source.path))) yield* recordsOfLines(source, createReadStream(source.path));
    else yield* recordsOfBytes(source, await readFile(source.path));
  }
}

/** One document, unless it is none and the first line is: then every line is one. */
function* recordsOfBytes(source: Source, bytes: Uint8Array): Generator<VconRecord> {
  const { text } = decodeText(bytes);
  const [first = ""] = text.split("\n", 1);
  if (isJson(text) || !isJson(first)) return yield recordOf(source, 1, bytes);
  for (const [at, line] of linesOf(bytes)) if (!isBlank(line)) yield recordOf(source, at + 1, line);
}

function* linesOf(bytes: Uint8Array): Generator<readonly [at: number, line: Uint8Array]> {
  let from = 0;
  for (let at = 0; from < bytes.length; at += 1) {
    const end = bytes.indexOf(LINE_BREAK, from);
    yield [at, bytes.subarray(from, end === -1 ? undefined : end)];
    from = end === -1 ? bytes.length : end + 1;
  }
}

const LINE_BREAK = 0x0a;

async function* recordsOfLines(source: Source, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<VconRecord> {
  let line = 0;
  let rest: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_BREAK); end !== -1; end = chunk.indexOf(LINE_BREAK, from)) {
      const whole = Buffer.concat([...rest, chunk.subarray(from, end)]);
      rest = [];
      from = end + 1;
      line += 1;
      if (!isBlank(whole)) yield recordOf(source, line, whole);
    }
    rest.push(chunk.subarray(from));
  }
  const last = Buffer.concat(rest);
  if (!isBlank(last)) yield recordOf(source, line + 1, last);
}

/** Spaces and line breaks only. */
const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));

function recordOf(source: Source, line: number, bytes: Uint8Array): VconRecord {
  const { text, fault } = decodeText(bytes);
  const place = fault && `${fault.message} (line ${line + fault.line - 1}, column ${fault.col}); ${fault.remedy}`;
  return {
    source,
    line,
    // JSON has no line breaks inside texts: between members they mean nothing
    text: text.replace(/[\r\n]+/g, " ").trim(),
    bytes: bytes.length + 1,
    ...(place !== undefined && { fault: place }),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
