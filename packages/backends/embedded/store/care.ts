import { statfsSync, statSync } from "node:fs";
import { VconError } from "@vcon-server/core";
import { type BackendHealth, type Document, TOMBSTONE_MS } from "@vcon-server/core/backend";
import { suspectExpired } from "./claims.ts";
import { dropCopy, findVcon } from "./documents.ts";
import type { Store } from "./store.ts";

/** Rows one round of care touches at most, so that it never holds up others for long. */
const ROUND = 500;

export function read(store: Store, uuids: readonly string[]): (Document | undefined)[] {
  return uuids.map((uuid) => {
    const row = findVcon(store, uuid);
    if (row?.damaged !== true) return row?.document;
    throw new VconError(
      "VCON_BACKEND_CORRUPT",
      `reading vCon ${uuid}: its bytes on disk are not what was written; check the disk, then submit the vCon again or restore a backup`,
      { details: { uuid } },
    );
  });
}

/** Takes expired copies away, forgets old tombstones, looks for dead owners. */
export function repair(store: Store): void {
  const now = store.now();
  suspectExpired(store);
  const expired = store
    .sql<{ id: number; uuid: string }>("SELECT id, uuid FROM vcons WHERE expires_at <= ? LIMIT ?")
    .all(now, ROUND);
  for (const { id, uuid } of expired) {
    dropCopy(store, id, now + TOMBSTONE_MS);
    store.sql("DELETE FROM waits WHERE uuid = ?").run(uuid);
    store.sql("DELETE FROM deliveries WHERE uuid = ? AND state = 0 AND action = 'save'").run(uuid);
  }
  const forgotten = store
    .sql<{ id: number; uuid: string }>("SELECT id, uuid FROM vcons WHERE forget_at <= ? LIMIT ?")
    .all(now, ROUND);
  for (const { id, uuid } of forgotten) {
    store.sql("DELETE FROM vcons WHERE id = ?").run(id);
    store.sql("DELETE FROM deliveries WHERE uuid = ? AND state <> 0").run(uuid);
  }
}

/** Everything but the round trip, which the client measures. */
export function health(store: Store, file: string, synchronous: "full" | "normal"): Omit<BackendHealth, "latency"> {
  const version = store.sql<{ version: string }>("SELECT sqlite_version() AS version").get()?.version ?? "unknown";
  const disk = statfsSync(file);
  const used = statSync(file).size;
  const free = disk.bavail * disk.bsize;
  const warnings =
    synchronous === "full"
      ? []
      : ["CONSERVER_SQLITE_SYNCHRONOUS is normal: a power cut may lose the last vCons; set it to full"];
  return { kind: "embedded", version: `SQLite ${version}`, fill: used / (used + free), warnings };
}
