import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { VconUuid } from "@vcon-server/vcon";
import { isMissing } from "./durable.ts";

/** The folders of an archive that hold vCons, below its own: that one itself, then one a day. */
export async function* foldersOf(base: string): AsyncGenerator<string> {
  yield "";
  for (const year of await namesIn(base, /^\d{4}$/)) {
    for (const month of await namesIn(join(base, year), /^\d{2}$/)) {
      for (const day of await namesIn(join(base, year, month), /^\d{2}$/)) yield `${year}/${month}/${day}`;
    }
  }
}

/** Places of a vCon's copies, older first, found by asking every folder for its file. */
export async function probe(base: string, uuid: VconUuid): Promise<readonly string[]> {
  const found: { place: string; time: number }[] = [];
  for await (const folder of foldersOf(base)) {
    for (const name of [`${uuid}.json`, `${uuid}.json.gz`]) {
      const place = placeIn(folder, name);
      const time = await modifiedAt(join(base, place));
      if (time !== undefined) found.push({ place, time });
    }
  }
  return found.toSorted((a, b) => a.time - b.time).map(({ place }) => place);
}

export const placeIn = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`);

/** Names in a folder in order; none when it is not there (any more). */
export async function namesIn(folder: string, matching = /^/): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => matching.test(name)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Milliseconds since 1970 of a file's last change; `undefined` when it is not there. */
export async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
