import type { Expiry } from "@vcon-server/core/backend";
import type { VconRow } from "./documents.ts";
import type { Store } from "./store.ts";

/**
 * Starts the expiry a run asked for, if nothing refers to the vCon any more. Called whenever a reference goes: while
 * there is a queue entry or dead letter, a pending delivery or a run that waits for one, the copy may be
 * the only one. An expiry that a link asked for (`forced`) is held by all of these but entries that merely wait.
 */
export function startExpiry(store: Store, id: number | null): void {
  if (id === null) return;
  store
    .sql(
      `UPDATE vcons SET expires_at = ?1 + ttl
       WHERE id = ?2 AND present = 1 AND ttl IS NOT NULL AND expires_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM queue WHERE vcon = ?2 AND (forced = 0 OR state <> 0
         OR EXISTS (SELECT 1 FROM letters WHERE entry = queue.id)))
       AND NOT EXISTS (SELECT 1 FROM deliveries WHERE vcon = ?2 AND state = 0)
       AND NOT EXISTS (SELECT 1 FROM waits WHERE vcon = ?2)`,
    )
    .run(store.now(), id);
}

/** Holds a running expiry because the vCon is referred to again. One that a link asked for runs on. */
export function holdExpiry(store: Store, row: VconRow | undefined): void {
  if (row === undefined || row.expires_at === null || row.expires_at <= store.now()) return;
  store.sql("UPDATE vcons SET expires_at = NULL WHERE id = ? AND forced = 0").run(row.id);
}

/** Holds any running expiry: a leased document stays until its run ends. */
export function holdForRun(store: Store, id: number): void {
  store.sql("UPDATE vcons SET expires_at = NULL WHERE id = ?").run(id);
}

/** Puts into force what a run decided. What a link asked for stays in force until another link decides anew. */
export function decideExpiry(store: Store, row: VconRow, expiry: Expiry): void {
  const [ttl, forced] = expiry.kind === "keep" ? [null, 0] : [Math.round(expiry.ms), expiry.kind === "now" ? 1 : 0];
  if (ttl === null && row.ttl === null && row.expires_at === null) return;
  store
    .sql(
      `UPDATE vcons SET ttl = ?1, forced = ?2, expires_at = NULL
       WHERE id = ?3 AND present = 1 AND (?2 = 1 OR forced = 0 OR ttl IS NULL)`,
    )
    .run(ttl, forced, row.id);
  startExpiry(store, row.id);
}
