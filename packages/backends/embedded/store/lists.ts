import { vconByUuid } from "./documents.ts";
import { holdExpiry, startExpiry } from "./expiry.ts";
import type { Store } from "./store.ts";

export function push(store: Store, list: string, items: readonly string[]): void {
  for (const item of items) {
    const row = vconByUuid(store, item);
    holdExpiry(store, row);
    append(store, list, { item, vcon: row?.id ?? null });
  }
}

/** An entry to be, with the row of its vCon when one is known. */
export interface Item {
  readonly item: string;
  readonly vcon: number | null;
}

/** Puts an entry at the end of a list. Returns the entry. */
export function append(store: Store, list: string, { item, vcon }: Item): number {
  store.news.lists.add(list);
  store.count(list, 1);
  return store.sql("INSERT INTO queue (list, item, vcon) VALUES (?, ?, ?)").insert(list, item, vcon);
}

export function pop(store: Store, list: string, count: number): string[] {
  const taken = store
    .sql<Item & { id: number }>(
      `DELETE FROM queue WHERE id IN (SELECT id FROM queue WHERE state = 0 AND list = ? ORDER BY id LIMIT ?)
       RETURNING id, item, vcon`,
    )
    .all(list, count)
    .sort((a, b) => a.id - b.id);
  store.count(list, -taken.length);
  for (const { vcon } of taken) startExpiry(store, vcon);
  return taken.map(({ item }) => item);
}

/** Takes a waiting entry out of its list for good. */
export function drop(store: Store, list: string, entry: number): void {
  store.count(list, -store.sql("DELETE FROM queue WHERE id = ? AND state = 0").run(entry));
}

/** Writes how the depths changed. */
export function writeCounts(store: Store): void {
  for (const [list, more] of store.takeCounts()) {
    if (more === 0) continue;
    store
      .sql(
        `INSERT INTO counters (name, n) VALUES ('list:' || ?, ?)
         ON CONFLICT (name) DO UPDATE SET n = n + excluded.n`,
      )
      .run(list, more);
  }
}

export function depths(store: Store, lists: readonly string[]): number[] {
  const count = store.sql<{ n: number }>("SELECT n FROM counters WHERE name = 'list:' || ?");
  return lists.map((list) => count.get(list)?.n ?? 0);
}

export function peek(store: Store, list: string, offset: number, count: number): string[] {
  return store
    .sql<{ item: string }>("SELECT item FROM queue WHERE state = 0 AND list = ? ORDER BY id LIMIT ? OFFSET ?")
    .all(list, count, offset)
    .map((row) => row.item);
}

/** Whether a claim of one of these lists would find something other than suspects. */
export function hasWork(store: Store, lists: readonly string[]): boolean {
  const due = store.sql<{ n: number }>("SELECT 1 AS n FROM queue WHERE state = 2 AND list = ? AND due <= ? LIMIT 1");
  return depths(store, lists).some((n) => n > 0) || lists.some((list) => due.get(list, store.now()) !== undefined);
}

/** When the next delayed entry of these lists comes due. */
export function nextDue(store: Store, lists: readonly string[]): number {
  const due = store.sql<{ due: number | null }>("SELECT min(due) AS due FROM queue WHERE state = 2 AND list = ?");
  return Math.min(...lists.map((list) => due.get(list)?.due ?? Number.POSITIVE_INFINITY));
}
