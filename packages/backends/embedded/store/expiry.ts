import type { Expiry } from "@vcon-server/core/backend";
import type { Store } from "./store.ts";

/** The copy may be the only one while any of these exist: a queue entry or dead letter, a delivery, a run waiting for one. */
const REFERRED = `(EXISTS (SELECT 1 FROM queue WHERE item = vcons.uuid)
  OR EXISTS (SELECT 1 FROM deliveries WHERE deliveries.uuid = vcons.uuid AND state = 0)
  OR EXISTS (SELECT 1 FROM waits WHERE waits.uuid = vcons.uuid))`;

/** Starts the expiry a run asked for, if nothing refers to the vCon any more. Called whenever a reference goes. */
export function startExpiry(store: Store, uuid: string): void {
  store
    .sql(
      `UPDATE vcons SET expires_at = ? + ttl
       WHERE uuid = ? AND present = 1 AND ttl IS NOT NULL AND expires_at IS NULL AND NOT ${REFERRED}`,
    )
    .run(store.now(), uuid);
}

/** Holds a running expiry because the vCon is referred to again. One that outranks the only-copy rule runs on. */
export function holdExpiry(store: Store, uuid: string): void {
  store
    .sql("UPDATE vcons SET expires_at = NULL WHERE uuid = ? AND forced = 0 AND expires_at > ?")
    .run(uuid, store.now());
}

/** Holds any running expiry: a leased document stays until its run ends. */
export function holdForRun(store: Store, id: number): void {
  store.sql("UPDATE vcons SET expires_at = NULL, forced = 0 WHERE id = ?").run(id);
}

/** Notes what a run decided; `startExpiry` puts `after` into force. */
export function decideExpiry(store: Store, uuid: string, expiry: Expiry): void {
  const forced = expiry.kind === "now";
  const ttl = expiry.kind === "keep" ? null : Math.round(expiry.ms);
  store
    .sql("UPDATE vcons SET ttl = ?, forced = ?, expires_at = ? WHERE uuid = ? AND present = 1")
    .run(forced ? null : ttl, forced ? 1 : 0, forced ? store.now() + Math.round(expiry.ms) : null, uuid);
}
