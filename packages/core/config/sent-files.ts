import { realpath } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import type { Path } from "./findings.ts";
import { piecesOf } from "./interpolate.ts";
import { valueAt } from "./issues.ts";

/** A `${file:…}` of a configuration that was sent, and where it stands. */
export interface SentFile {
  readonly path: Path;
  readonly file: string;
}

interface Sent {
  /** The configuration with what was kept put back. */
  readonly document: unknown;
  /** The configurations that were in force, as they are written: what stands in its place there was allowed then. */
  readonly written: readonly unknown[];
  /** Its file: relative paths count from its folder. */
  readonly file: string;
  /** The folder whose files may be referred to. */
  readonly folder: string | undefined;
}

/**
 * References to files that a configuration sent over HTTP must not make: the server reads every file its user may read,
 * and a value that is read can be sent on or shown.
 */
export async function refusedFiles({ document, written, file, folder }: Sent): Promise<readonly SentFile[]> {
  const sent = [...fileReferences(document, [])].filter(
    ({ path, text }) => !written.some((one) => valueAt(one, path) === text),
  );
  const checked = await Promise.all(
    sent.map(async (one) => ((await isBelow(folder, resolve(dirname(file), one.file))) ? [] : [one])),
  );
  return checked.flat().map(({ path, file: named }) => ({ path, file: named }));
}

function* fileReferences(value: unknown, path: Path): Generator<SentFile & { readonly text: string }> {
  if (typeof value === "string") {
    for (const piece of piecesOf(value)) if (piece.kind === "file") yield { path, file: piece.path, text: value };
  } else if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) yield* fileReferences(item, [...path, at]);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (path.length > 0 || key !== "tests") yield* fileReferences(item, [...path, key]);
    }
  }
}

/** Returns true when a file lies in the folder once links are followed. */
async function isBelow(folder: string | undefined, file: string): Promise<boolean> {
  if (folder === undefined) return false;
  const real = (path: string) => realpath(path).catch(() => path);
  const way = relative(await real(resolve(folder)), await real(file));
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
}
