import type { Submitter } from "@vcon-server/core/backend";
import type { Store } from "./store.ts";

export function readSubmitters(store: Store, uuids: readonly string[]): (string | undefined)[] {
  const find = store.sql<{ submitter: string }>("SELECT submitter FROM submitters WHERE uuid = ? AND forget_at > ?");
  return uuids.map((uuid) => find.get(uuid, store.now())?.submitter);
}

export function rememberSubmitter(store: Store, uuid: string, { id, kept }: Submitter): void {
  store
    .sql(
      `INSERT INTO submitters (uuid, submitter, forget_at) VALUES (?, ?, ?)
       ON CONFLICT (uuid) DO UPDATE SET submitter = excluded.submitter, forget_at = excluded.forget_at`,
    )
    .run(uuid, id, store.now() + Math.ceil(kept));
}

export function forgetSubmitter(store: Store, uuid: string): void {
  store.sql("DELETE FROM submitters WHERE uuid = ?").run(uuid);
}

/** Forgets those whose time is over, at most `count`. */
export function forgetOldSubmitters(store: Store, count: number): void {
  store
    .sql("DELETE FROM submitters WHERE id IN (SELECT id FROM submitters WHERE forget_at <= ? LIMIT ?)")
    .run(store.now(), count);
}
