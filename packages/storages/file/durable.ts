import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface Modes {
  readonly file: number;
  readonly folder: number;
}

export interface Write {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly modes: Modes;
  /** Whether the bytes must be on the disk before the file gets its name. */
  readonly sync: boolean;
  readonly signal?: AbortSignal;
}

const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);

/** True for the one failure that means absence. */
export const isMissing = (error: unknown): boolean => isCode(error, "ENOENT");

export const isPresent = (error: unknown): boolean => isCode(error, "EEXIST");

/** Writes a file so that readers see the old content or the new, never a part; nothing is left when it fails. */
export async function writeWhole(write: Write): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await makeFolder(dirname(write.path), write.modes.folder);
    try {
      return await writeInto(write);
    } catch (error) {
      // somebody who deleted the last file of this folder may have removed it in between
      if (!isMissing(error) || attempt === 3) throw error;
    }
  }
}

async function writeInto({ path, bytes, modes, sync, signal }: Write): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", modes.file);
    try {
      // what `open` gives is narrowed by the process's umask
      await file.chmod(modes.file);
      await file.writeFile(bytes, signal && { signal });
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a folder with those above it; only those made here get the mode. */
export async function makeFolder(folder: string, mode: number): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await chmod(made, mode);
    await syncFolder(dirname(made));
  }
}

/** Makes renames and removals in a folder survive a power cut, where the system can (Windows cannot and need not). */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isCode(error, "ENOENT", "EISDIR", "EPERM", "EINVAL")) throw error;
  }
}

/** Lets calls that want the same folder synced at the same time share one sync. */
export function folderSyncs(sync: (folder: string) => Promise<void> = syncFolder): (folder: string) => Promise<void> {
  const folders = new Map<string, { current: Promise<void>; next: Promise<void> | undefined }>();
  return (folder) => {
    const running = folders.get(folder);
    if (!running) {
      const entry = { current: sync(folder).finally(() => finished(folder)), next: undefined };
      folders.set(folder, entry);
      return entry.current;
    }
    // a sync that has begun may have missed what this caller did: wait for the one after it
    running.next ??= running.current.then(ignore, ignore).then(() => sync(folder));
    return running.next;
  };

  function finished(folder: string): void {
    const entry = folders.get(folder);
    if (!entry?.next) return void folders.delete(folder);
    const current = entry.next.finally(() => finished(folder));
    folders.set(folder, { current, next: undefined });
    current.catch(ignore);
  }
}

const ignore = () => undefined;
