import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VconUuid } from "@vcon-server/vcon";
import { isMissing, isPresent, type Modes, makeFolder, writeWhole } from "./durable.ts";
import { INDEX_FOLDER, isPlace, pointerOf, uuidOfFile } from "./layout.ts";

/**
 * Where the copies of each vCon are. A pointer is written before the file it names, so that once the index is
 * complete a missing pointer proves absence. It names two places only while a file moves.
 */
export interface Pointers {
  /** Places a copy may be at, older first. Looks through the folders while the index cannot be trusted. */
  find(uuid: VconUuid): Promise<readonly string[]>;
  /** Looks through the folders whatever the index says. */
  probe(uuid: VconUuid): Promise<readonly string[]>;
  write(uuid: VconUuid, places: readonly string[]): Promise<void>;
  remove(uuid: VconUuid): Promise<void>;
  /** Writes the pointers an archive lacks (one made by the Python server has none), then trusts the index. */
  complete(signal: AbortSignal): Promise<void>;
}

export interface PointersOf {
  /** Folder of the archive. */
  readonly base: string;
  readonly modes: Modes;
  readonly syncFolder: (folder: string) => Promise<void>;
}

const COMPLETE = `${INDEX_FOLDER}/complete`;

export function openPointers({ base, modes, syncFolder }: PointersOf): Pointers {
  let trusted: Promise<boolean> | undefined;
  const isTrusted = () => {
    trusted ??= trustworthy().catch((error) => {
      trusted = undefined;
      throw error;
    });
    return trusted;
  };

  /** Complete, or so new that there is nothing to index. */
  async function trustworthy(): Promise<boolean> {
    if (await exists(join(base, COMPLETE))) return true;
    const entries = await list(base);
    if (entries.some((entry) => entry !== INDEX_FOLDER)) return false;
    await markComplete();
    return true;
  }

  async function markComplete(): Promise<void> {
    const path = join(base, COMPLETE);
    await writeWhole({
      path,
      bytes: Buffer.from("every vCon of this archive has a pointer here\n"),
      modes,
      sync: true,
    });
    await syncFolder(join(base, INDEX_FOLDER));
  }

  /** `undefined`: no pointer. Empty: one that a power cut left without content. */
  async function read(uuid: VconUuid): Promise<readonly string[] | undefined> {
    try {
      const text = await readFile(join(base, pointerOf(uuid)), "utf8");
      return text.split("\n").filter((line) => isPlace(line, uuid));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async function write(uuid: VconUuid, places: readonly string[]): Promise<void> {
    const path = join(base, pointerOf(uuid));
    // not synced: an empty pointer is noticed and the folders are looked through
    await writeWhole({ path, bytes: Buffer.from(`${places.join("\n")}\n`), modes, sync: false });
    await syncFolder(dirname(path));
  }

  /** Never replaces a pointer: a save that has come in between knows better. */
  async function writeFirst(uuid: VconUuid, places: readonly string[]): Promise<void> {
    const path = join(base, pointerOf(uuid));
    await makeFolder(dirname(path), modes.folder);
    await writeFile(path, `${places.join("\n")}\n`, { flag: "wx", mode: modes.file }).catch((error: unknown) => {
      if (!isPresent(error)) throw error;
    });
  }

  async function probe(uuid: VconUuid): Promise<readonly string[]> {
    const found: { place: string; time: number }[] = [];
    for await (const folder of folders(base)) {
      for (const name of [`${uuid}.json`, `${uuid}.json.gz`]) {
        const time = await modified(join(base, folder, name));
        if (time !== undefined) found.push({ place: joined(folder, name), time });
      }
    }
    return found.toSorted((a, b) => a.time - b.time).map(({ place }) => place);
  }

  async function find(uuid: VconUuid): Promise<readonly string[]> {
    const known = await read(uuid);
    if (known?.length) return known;
    if (known === undefined && (await isTrusted())) return [];
    return probe(uuid);
  }

  async function complete(signal: AbortSignal): Promise<void> {
    if (await isTrusted()) return;
    for await (const folder of folders(base)) {
      for (const name of await list(join(base, folder))) {
        const uuid = uuidOfFile(name);
        if (signal.aborted) return;
        if (uuid === undefined) continue;
        if ((await read(uuid)) === undefined) await writeFirst(uuid, await probe(uuid));
      }
    }
    await markComplete();
    trusted = Promise.resolve(true);
  }

  async function remove(uuid: VconUuid): Promise<void> {
    const path = join(base, pointerOf(uuid));
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  }

  return { find, probe, write, remove, complete };
}

/** The folders of an archive that hold vCons: the archive itself, then one a day. */
async function* folders(base: string): AsyncGenerator<string> {
  yield "";
  for (const year of await list(base, /^\d{4}$/)) {
    for (const month of await list(join(base, year), /^\d{2}$/)) {
      for (const day of await list(join(base, year, month), /^\d{2}$/)) yield `${year}/${month}/${day}`;
    }
  }
}

const joined = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`);

/** Names in a folder; none when it is not there (any more). */
async function list(folder: string, matching = /^/): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => matching.test(name)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function modified(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const exists = async (path: string): Promise<boolean> => (await modified(path)) !== undefined;
