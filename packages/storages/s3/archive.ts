import { type Logger, type StoredVcon, VconError } from "@vcon-server/core";
import type { VconUuid } from "@vcon-server/vcon";
import { dayOf } from "../_shared/day.ts";
import type { Bucket, NewObject } from "./bucket.ts";
import { isDenied } from "./failures.ts";
import { DAY_UNKNOWN, type Keys, type Pointer, pointerOf, written } from "./layout.ts";

/**
 * VCons of a bucket, each an object with a pointer to it. A pointer is written before the object it names, and while a
 * vCon moves to another day it names both: wherever a crash cuts this short, the last copy that was kept can be read,
 * and the next save or delete knows every object there is.
 */
export interface Archive {
  save(doc: StoredVcon, signal: AbortSignal): Promise<void>;
  /** The bytes as they were saved. */
  load(uuid: VconUuid, signal: AbortSignal): Promise<Uint8Array | undefined>;
  delete(uuid: VconUuid, signal: AbortSignal): Promise<void>;
  /** Proves that objects can be written, removed and told from those that are not there. */
  check(signal: AbortSignal): Promise<void>;
}

export interface ArchiveOf {
  readonly bucket: Bucket;
  readonly keys: Keys;
  readonly storageClass?: NewObject["storageClass"];
  readonly log: Logger;
}

export function openArchive({ bucket, keys, storageClass, log }: ArchiveOf): Archive {
  const point = (uuid: VconUuid, pointer: Pointer, signal: AbortSignal): Promise<void> => {
    const { text, metadata } = written(pointer);
    return bucket.put({ key: keys.pointer(uuid), bytes: Buffer.from(text), type: "text/plain", metadata }, signal);
  };

  async function find(uuid: VconUuid, signal: AbortSignal): Promise<Pointer | undefined> {
    const found = await bucket.get(keys.pointer(uuid), signal);
    if (!found) return undefined;
    const pointer = pointerOf(Buffer.from(found.bytes).toString(), found.metadata);
    if (pointer) return pointer;
    throw damaged(uuid, `${keys.pointer(uuid)} holds no day as YYYY/MM/DD; correct it or save the vCon again`);
  }

  let warned = false;

  /** What saving needs to know of an earlier copy. Where that cannot be known, saving is still better than not. */
  async function findBeforeSaving(uuid: VconUuid, signal: AbortSignal): Promise<Pointer | undefined> {
    try {
      return await find(uuid, signal);
    } catch (error) {
      if (isDamaged(error)) log.warn("s3: the pointer is damaged and written anew", { uuid, error });
      else if (!isDenied(error)) throw error;
      // without s3:ListBucket every vCon that is new is answered like this
      else if (!warned) log.warn("s3: may not read pointers; copies of another day would stay", { uuid, error });
      warned ||= isDenied(error);
      return undefined;
    }
  }

  async function removeOthers(uuid: VconUuid, { day, others }: Pointer, signal: AbortSignal): Promise<void> {
    try {
      for (const other of others) await bucket.remove(keys.vcon(uuid, other), signal);
    } catch (error) {
      if (!isDenied(error)) throw error;
      log.warn("s3: the copy of another day stays, since it may not be removed", { uuid, days: others, error });
      return;
    }
    await point(uuid, { day, others: [] }, signal);
  }

  return {
    async save({ uuid, bytes, vcon }, signal) {
      const day = dayOf(vcon.created_at) ?? DAY_UNKNOWN;
      const known = await findBeforeSaving(uuid, signal);
      const days = known ? [known.day, ...known.others] : [];
      if (!known) await point(uuid, { day, others: [] }, signal);
      else if (!days.includes(day)) await point(uuid, { ...known, others: [...known.others, day] }, signal);
      await bucket.put(
        { key: keys.vcon(uuid, day), bytes, type: "application/json", ...(storageClass && { storageClass }) },
        signal,
      );
      const moved = { day, others: days.filter((other) => other !== day) };
      if (moved.others.length === 0) return;
      await point(uuid, moved, signal);
      await removeOthers(uuid, moved, signal);
    },

    async load(uuid, signal) {
      for (let seen: string | undefined; ; ) {
        const pointer = await find(uuid, signal);
        if (!pointer) return undefined;
        const key = keys.vcon(uuid, pointer.day);
        // a second look: it may have moved since the pointer was read
        if (pointer.day === seen)
          throw damaged(
            uuid,
            `${keys.pointer(uuid)} names ${key}, which is not there; restore it, or save or delete the vCon`,
          );
        const found = await bucket.get(key, signal);
        if (found) return found.bytes;
        seen = pointer.day;
      }
    },

    async delete(uuid, signal) {
      const pointer = await find(uuid, signal);
      if (!pointer) return;
      for (const day of [pointer.day, ...pointer.others]) await bucket.remove(keys.vcon(uuid, day), signal);
      await bucket.remove(keys.pointer(uuid), signal);
    },

    async check(signal) {
      await bucket.put({ key: keys.check, bytes: Buffer.from("written by check"), type: "text/plain" }, signal);
      await bucket.remove(keys.check, signal);
      await bucket.get(keys.check, signal);
    },
  };
}

const isDamaged = (error: unknown): boolean => error instanceof VconError && error.code === "VCON_STORAGE_DAMAGED";

const damaged = (uuid: VconUuid, what: string): VconError => new VconError("VCON_STORAGE_DAMAGED", `${uuid}: ${what}`);
