import { readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { StoredVcon } from "@vcon-server/core";
import type { VconUuid } from "@vcon-server/vcon";
import { folderSyncs, isMissing, type Modes, makeFolder, writeWhole } from "./durable.ts";
import { probe } from "./folders.ts";
import { INDEX_FOLDER, type Layout, placeOf } from "./layout.ts";
import { openPointers } from "./pointers.ts";

/** A folder tree of vCons, one file each. Throws the errors of the file system as they are. */
export interface Archive {
  save(doc: StoredVcon, signal: AbortSignal): Promise<void>;
  /** The bytes as they were saved. */
  load(uuid: VconUuid, signal: AbortSignal): Promise<Uint8Array | undefined>;
  delete(uuid: VconUuid, signal: AbortSignal): Promise<void>;
  /** Proves that files can be written. */
  check(): Promise<void>;
  /** Indexes what an archive without an index holds; ends early when aborted. */
  index(signal: AbortSignal): Promise<void>;
}

export interface ArchiveOptions extends Layout {
  readonly base: string;
  readonly modes: Modes;
}

/** More than this cannot be a string in the first place. */
const LARGEST_BYTES = 2 ** 29;

export function openArchive({ base, modes, ...layout }: ArchiveOptions): Archive {
  const syncFolder = folderSyncs();
  const pointers = openPointers({ base, modes, syncFolder });

  /** False when there was no such file. */
  async function removeFile(place: string): Promise<boolean> {
    const path = join(base, place);
    try {
      await rm(path);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    await syncFolder(dirname(path));
    await prune(base, dirname(path));
    return true;
  }

  async function removeFiles(places: readonly string[]): Promise<number> {
    let removed = 0;
    for (const place of places) if (await removeFile(place)) removed++;
    return removed;
  }

  return {
    async save(doc, signal) {
      signal.throwIfAborted();
      const place = placeOf(doc.uuid, doc.vcon, layout);
      const path = join(base, place);
      const bytes = layout.compression ? await promisify(gzip)(doc.bytes) : doc.bytes;
      const known = await pointers.find(doc.uuid);
      signal.throwIfAborted();
      const places = [...known.filter((other) => other !== place), place];
      if (!known.includes(place)) await pointers.write(doc.uuid, places);
      await writeWhole({ path, bytes, modes, sync: true, signal });
      await syncFolder(dirname(path));
      if (places.length === 1) return;
      await removeFiles(places.slice(0, -1));
      await pointers.write(doc.uuid, [place]);
    },
    async load(uuid, signal) {
      signal.throwIfAborted();
      const known = await pointers.find(uuid);
      if (known.length === 0) return undefined;
      // the files may have been moved by hand, or by another process since the pointer was read
      return (await firstOf(base, known)) ?? (await firstOf(base, await probe(base, uuid)));
    },
    async delete(uuid, signal) {
      signal.throwIfAborted();
      const known = await pointers.find(uuid);
      if (known.length === 0) return;
      // as in load: what the pointer names may have been moved
      if ((await removeFiles(known)) === 0) await removeFiles(await probe(base, uuid));
      await pointers.remove(uuid);
    },
    async check() {
      const path = join(base, INDEX_FOLDER, "check");
      await makeFolder(dirname(path), modes.folder);
      await writeWhole({ path, bytes: Buffer.from("written by check\n"), modes, sync: true });
      await rm(path, { force: true });
    },
    index: (signal) => pointers.complete(signal),
  };
}

/** Content of the newest of these files that is there. */
async function firstOf(base: string, places: readonly string[]): Promise<Uint8Array | undefined> {
  for (const place of places.toReversed()) {
    const bytes = await readFile(join(base, place)).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (bytes) return place.endsWith(".gz") ? promisify(gunzip)(bytes, { maxOutputLength: LARGEST_BYTES }) : bytes;
  }
  return undefined;
}

/** Removes folders that have become empty, up to the archive's own. */
async function prune(base: string, folder: string): Promise<void> {
  if (folder === base || !folder.startsWith(base)) return;
  try {
    await rmdir(folder);
  } catch {
    // not empty, or somebody else has removed it: either way there is nothing left to do here
    return;
  }
  await prune(base, dirname(folder));
}
