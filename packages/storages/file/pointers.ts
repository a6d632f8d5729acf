import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VconUuid } from "@vcon-server/vcon";
import { isMissing, isPresent, type Modes, makeFolder, writeWhole } from "./durable.ts";
import { foldersOf, modifiedAt, namesIn, placeIn, probe } from "./folders.ts";
import { INDEX_FOLDER, isPlace, pointerOf, uuidOfFile } from "./layout.ts";

/**
 * Where the copies of each vCon are. A pointer is written before the file it names, so that once the index is
 * complete a missing pointer proves absence. It names two places only while a file moves.
 */
export interface Pointers {
  /** Places a copy may be at, older first. Asks every folder while the index cannot be trusted. */
  find(uuid: VconUuid): Promise<readonly string[]>;
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

export function openPointers(archive: PointersOf): Pointers {
  const { base, modes, syncFolder } = archive;
  let trusted = false;
  const isTrusted = async (): Promise<boolean> => {
    trusted ||= (await modifiedAt(join(base, COMPLETE))) !== undefined;
    return trusted;
  };
  const trust = async (): Promise<void> => {
    await markComplete(archive);
    trusted = true;
  };

  async function write(uuid: VconUuid, places: readonly string[]): Promise<void> {
    if (!(await isTrusted()) && (await isEmpty(base))) await trust();
    const path = join(base, pointerOf(uuid));
    // not synced: an empty pointer is noticed, and every folder asked
    await writeWhole({ path, bytes: Buffer.from(textOf(places)), modes, sync: false });
    await syncFolder(dirname(path));
  }

  return {
    write,
    async find(uuid) {
      const known = await read(base, uuid);
      if (known?.length) return known;
      if (known === undefined && ((await isTrusted()) || (await isEmpty(base)))) return [];
      return probe(base, uuid);
    },
    async remove(uuid) {
      const path = join(base, pointerOf(uuid));
      await rm(path, { force: true });
      await syncFolder(dirname(path));
    },
    async complete(signal) {
      if ((await isTrusted()) || (await isEmpty(base))) return;
      for await (const folder of foldersOf(base)) {
        for (const name of await namesIn(join(base, folder))) {
          if (signal.aborted) return;
          const uuid = uuidOfFile(name);
          const isSecond = uuid !== undefined && !(await writeFirst(archive, uuid, placeIn(folder, name)));
          if (isSecond) await write(uuid, await probe(base, uuid));
        }
      }
      for (const folder of await namesIn(join(base, INDEX_FOLDER), /^[0-9a-f]{2}$/))
        await syncFolder(join(base, INDEX_FOLDER, folder));
      await trust();
    },
  };
}

const COMPLETE = `${INDEX_FOLDER}/complete`;

const textOf = (places: readonly string[]): string => `${places.join("\n")}\n`;

/** `undefined`: no pointer. Empty: one that a power cut left without content. */
async function read(base: string, uuid: VconUuid): Promise<readonly string[] | undefined> {
  try {
    const text = await readFile(join(base, pointerOf(uuid)), "utf8");
    return text.split("\n").filter((line) => isPlace(line, uuid));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Points to a file that was found, unless there is a pointer: a save that has come in between knows better. False when
 * the pointer that is there leaves out this file.
 */
async function writeFirst({ base, modes }: PointersOf, uuid: VconUuid, place: string): Promise<boolean> {
  const path = join(base, pointerOf(uuid));
  try {
    await makeFolder(dirname(path), modes.folder);
    await writeFile(path, textOf([place]), { flag: "wx", mode: modes.file });
    return true;
  } catch (error) {
    if (!isPresent(error)) throw error;
    const known = await read(base, uuid);
    return known?.includes(place) === true || (await modifiedAt(join(base, place))) === undefined;
  }
}

/** Whether there is nothing to index. Reading leaves it at that: an empty folder may be one that is not mounted. */
const isEmpty = async (base: string): Promise<boolean> => (await namesIn(base)).every((name) => name === INDEX_FOLDER);

async function markComplete({ base, modes, syncFolder }: PointersOf): Promise<void> {
  const bytes = Buffer.from("every vCon of this archive has a pointer here\n");
  await writeWhole({ path: join(base, COMPLETE), bytes, modes, sync: true });
  await syncFolder(join(base, INDEX_FOLDER));
}
