import type { Index, IndexTerm, ListQuery } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import { rewriteTerms } from "./documents.ts";
import type { Store } from "./store.ts";

/** A batch of uuids after the row `after`, in no order, with where to go on; undefined at the end. */
export function scanFrom(
  store: Store,
  after: number,
): { readonly uuids: VconUuid[]; readonly next: number } | undefined {
  const rows = store
    .sql<{ id: number; uuid: VconUuid }>(
      `SELECT id, uuid FROM vcons WHERE id > ? AND present = 1 AND (expires_at IS NULL OR expires_at > ?)
       ORDER BY id LIMIT 1000`,
    )
    .all(after, store.now());
  const last = rows.at(-1);
  return last === undefined ? undefined : { uuids: rows.map((row) => row.uuid), next: last.id };
}

export function list(store: Store, query: ListQuery): VconUuid[] {
  return store
    .sql<{ uuid: VconUuid }>(
      `SELECT uuid FROM vcons WHERE present = 1 AND created_at BETWEEN ? AND ?
       AND (expires_at IS NULL OR expires_at > ?) ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
    )
    .all(query.since ?? -Number.MAX_VALUE, query.until ?? Number.MAX_VALUE, store.now(), query.limit, query.offset)
    .map((row) => row.uuid);
}

/** True AND, walking the rarest term. */
export function search(store: Store, terms: readonly IndexTerm[]): VconUuid[] {
  const [rarest, ...others] = [...new Set(terms)]
    .map((term) => ({ term, rows: countUpTo(store, term, 10_000) }))
    .sort((a, b) => a.rows - b.rows);
  if (rarest === undefined) return [];
  return store
    .sql<{ uuid: VconUuid }>(
      `SELECT v.uuid FROM terms t CROSS JOIN vcons v ON v.id = t.vcon
       WHERE t.term = ? AND v.present = 1 AND (v.expires_at IS NULL OR v.expires_at > ?)
       AND NOT EXISTS (SELECT 1 FROM json_each(?) wanted
         WHERE NOT EXISTS (SELECT 1 FROM terms o WHERE o.term = wanted.value AND o.vcon = t.vcon))`,
    )
    .all(rarest.term, store.now(), JSON.stringify(others.map((other) => other.term)))
    .map((row) => row.uuid);
}

function countUpTo(store: Store, term: string, limit: number): number {
  const counted = store.sql<{ n: number }>("SELECT count(*) AS n FROM (SELECT 1 FROM terms WHERE term = ? LIMIT ?)");
  return counted.get(term, limit)?.n ?? 0;
}

export function reindex(store: Store, entries: readonly { readonly uuid: string; readonly index: Index }[]): void {
  for (const { uuid, index } of entries) {
    const row = store.sql<{ id: number }>("SELECT id FROM vcons WHERE uuid = ? AND present = 1").get(uuid);
    if (row === undefined) continue;
    const terms = JSON.stringify([...new Set(index.terms)].sort());
    store.sql("UPDATE vcons SET created_at = ?, terms = ? WHERE id = ?").run(index.createdAt, terms, row.id);
    rewriteTerms(store, row.id, terms);
  }
}
