import type { Holding } from "@vcon-server/core/backend";
import { depths } from "./lists.ts";
import type { Store } from "./store.ts";

type Use = "taken" | "dlq";

/** Notes once that workers take from a list, or that dead letters are put into it, so that it is found when no chain names it any more. */
export function noteUse(store: Store, use: Use, list: string): void {
  const name = `${use}:${list}`;
  if (store.noted.has(name)) return;
  store.sql("INSERT OR IGNORE INTO counters (name, n) VALUES (?, 1)").run(name);
  store.noted.add(name);
}

/** Notes what a version that did not note it has put into dead-letter lists. */
export function noteFormerUse(store: Store): void {
  const lists = store.sql<{ dlq: string }>("SELECT DISTINCT dlq FROM letters").all();
  for (const { dlq } of lists) noteUse(store, "dlq", dlq);
  const taken = store.sql<{ list: string }>("SELECT DISTINCT list FROM queue WHERE state <> 0").all();
  for (const { list } of taken) noteUse(store, "taken", list);
}

export function holdings(store: Store, except: readonly string[]): Holding[] {
  const known = new Set(except);
  return (["taken", "dlq"] as const).flatMap((use) =>
    usedLists(store, use)
      .filter((list) => !known.has(list))
      .map((list) => ({
        list,
        dead: use === "dlq",
        waiting: depths(store, [list])[0] ?? 0,
        parked: use === "dlq" ? 0 : countParked(store, list),
      }))
      .filter(({ waiting, parked }) => waiting + parked > 0),
  );
}

function usedLists(store: Store, use: Use): string[] {
  const from = `${use}:`;
  return store
    .sql<{ list: string }>("SELECT substr(name, ?1) AS list FROM counters WHERE name >= ?2 AND name < ?3 ORDER BY name")
    .all(from.length + 1, from, `${use};`)
    .map(({ list }) => list);
}

function countParked(store: Store, list: string): number {
  const row = store
    .sql<{ n: number }>(
      `SELECT (SELECT count(*) FROM queue WHERE state = 2 AND list = ?1)
        + (SELECT count(*) FROM queue WHERE state = 3 AND list = ?1)
        + (SELECT count(*) FROM queue WHERE state = 1 AND list = ?1) AS n`,
    )
    .get(list);
  return row?.n ?? 0;
}
