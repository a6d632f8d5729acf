import { indexOf, toBytes, upgradeVcon, type VconUuid } from "@vcon-server/vcon";
import type { Backend, Document } from "../backend/backend.ts";
import { VconError } from "../errors/index.ts";
import type { StorageSet } from "./storages.ts";

interface LoadFrom {
  readonly backend: Pick<Backend, "read" | "restore">;
  readonly storages: Pick<StorageSet, "load">;
  /** Milliseconds a copy that came back from a storage stays, since it is not the only one. */
  readonly ttl: number;
}

/**
 * The working copy, or what the storages have of it, put back as the working copy. `undefined`: every place was asked
 * and none has it. Throws when a place that might have it does not answer.
 */
export async function loadThrough(uuid: VconUuid, { backend, storages, ttl }: LoadFrom): Promise<Document | undefined> {
  const kept = await readSound(uuid, backend);
  if (kept && !(kept instanceof VconError)) return kept;
  const found = await storages.load(uuid);
  if (!found && kept) throw kept;
  if (!found) return undefined;
  // an archive may hold the form of an older version
  const vcon = upgradeVcon(found);
  await backend.restore({ uuid, bytes: toBytes(vcon), index: indexOf(vcon), ttl });
  const [restored] = await backend.read([uuid]);
  return restored;
}

/** The working copy, nothing where there is none, or the error that says how it is damaged: a storage may have it whole. */
async function readSound(uuid: VconUuid, backend: LoadFrom["backend"]): Promise<Document | VconError | undefined> {
  try {
    return (await backend.read([uuid]))[0];
  } catch (error) {
    if (error instanceof VconError && error.code === "VCON_BACKEND_CORRUPT") return error;
    throw error;
  }
}
