import type { DatabaseSync } from "node:sqlite";
import type { Claim } from "@vcon-server/core/backend";
import { bytesOf, done, freshList, freshUuid, record, submission } from "@vcon-server/core/backend/conformance/samples";
import { expect, test } from "vitest";
import { operationsOf } from "../owner/operations.ts";
import { openHere, temporaryFolder } from "../testing/folder.ts";
import type { Operations } from "../wire/messages.ts";

/** The steps SQLite takes for a statement, triggers not included. */
const planOf = (db: DatabaseSync, sql: string): string[] =>
  db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row["detail"]));

/** Statements of one of everything the backend does, recorded while it is done. */
function recordStatements(path: string): { db: DatabaseSync; texts: Set<string>; close(): void } {
  const opened = openHere(path, { leaseMs: -1 });
  const texts = new Set<string>();
  const store = {
    ...opened.store,
    sql: <Row>(text: string) => {
      texts.add(text);
      return opened.store.sql<Row>(text);
    },
  };
  const run = operationsOf({ store, file: opened.file, synchronous: "full" });
  const list = freshList();
  const index = { createdAt: 1, terms: ["tel:+15551234567", "name:A"] } as const;
  const claim = (suspects: boolean): readonly Claim[] =>
    run.claim({ owner: "o", lists: [{ name: list, chain: "c", max: 1 }], suspects }).runs;
  const uuids = Array.from({ length: 9 }, () => freshUuid());
  run.push(list, [freshUuid()]);
  run.submit(uuids.map((uuid) => submission(uuid, { lists: [list], index })));
  run.submit([submission(freshUuid(), { requeue: true, lists: [list], precondition: { absent: true } })]);
  run.restore({ uuid: freshUuid(), bytes: bytesOf({}), index, ttl: 10 });
  const checkpoint = { config: "c", index: 1, link: "l", attempt: 1, sendTo: [] };
  for (let n = 0; n < 12; n++) {
    for (const lease of [...claim(false), ...claim(true)]) {
      const change = lease.document && { change: { base: lease.document.rev, bytes: bytesOf({ n }), index } };
      run.checkpoint([{ lease, checkpoint }]);
      const storages = { storages: ["a", "b"], required: ["a"], egress: ["out"] };
      const finished = done(lease, { ...change, ...storages, expiry: { kind: "after", ms: 1 } });
      const endings = [
        finished,
        done(lease, { expiry: { kind: "now", ms: 1 }, sendTo: ["x"] }),
        { kind: "dead", lease, dlq: "dlq", record: record(lease) },
        { kind: "later", lease, delay: 0, attempt: 1, checkpoint },
        { kind: "release", lease },
      ] as const;
      const ending = endings[n % endings.length];
      if (ending !== undefined) run.settle([ending]);
    }
    run.repair();
  }
  settleAll(run);
  run.search(["tel:+15551234567", "name:A"]);
  run.list({ since: 0, until: 5, offset: 0, limit: 5 });
  run.reindex(uuids.map((uuid) => ({ uuid, index: { createdAt: 2, terms: [] } })));
  run.deadLetters({ dlq: "dlq", list, offset: 0, limit: 5 });
  run.reprocess("dlq", 5, { fallback: list });
  run.remove(uuids[0] ?? freshUuid(), ["a"]);
  run.scanFrom(0);
  run.peek(list, 0, 5);
  run.pop(list, 1);
  run.depths([list]);
  run.suspects([list]);
  run.abandon("o", [list]);
  run.giveBack("o", [list], []);
  run.backlog();
  run.deliveries(uuids[1] ?? freshUuid());
  return { db: opened.store.db, texts, close: opened.close };
}

function settleAll(run: Operations): void {
  for (const task of run.claimDeliveries(50, 0)) {
    const { uuid, storage, action } = task;
    run.settleDeliveries([{ uuid, storage, action, rev: 1, result: { kind: "done" } }]);
    const again = { kind: "again", delay: 0, code: "C", message: "m", counts: true } as const;
    run.settleDeliveries([{ uuid, storage, action, rev: 1, result: again }]);
  }
}

test("no statement walks a table: a claim costs at a depth of a million what it costs at a thousand", () => {
  using folder = temporaryFolder();
  const { db, texts, close } = recordStatements(folder.path);
  expect(texts.size).toBeGreaterThan(50);
  const walks = [...texts].flatMap((sql) =>
    planOf(db, sql)
      .filter((step) => /^SCAN (vcons|bodies|terms|queue|checkpoints|letters|deliveries|waits)\b/.test(step))
      .map((step) => `${step}: ${sql}`),
  );
  expect(walks).toEqual([]);
  close();
});

test("taking entries reads them in order from an index, without sorting what waits", () => {
  using folder = temporaryFolder();
  const { db, texts, close } = recordStatements(folder.path);
  const takes = [...texts].filter((sql) => sql.startsWith("UPDATE queue SET state = 1"));
  expect(takes).toHaveLength(3);
  for (const sql of takes) {
    const plan = planOf(db, sql).join("\n");
    expect(plan).toMatch(/USING (COVERING )?INDEX queue_(waiting|later|suspect)/);
    expect(plan).not.toMatch(/TEMP B-TREE/);
  }
  close();
});

test("depths agree with what is there after one of everything", () => {
  using folder = temporaryFolder();
  const { db, close } = recordStatements(folder.path);
  const there = db.prepare("SELECT 'list:' || list AS name, count(*) AS n FROM queue WHERE state = 0 GROUP BY list");
  const pending = db.prepare(
    "SELECT 'storage:' || storage AS name, count(*) AS n FROM deliveries WHERE state = 0 GROUP BY storage",
  );
  const depths = "(name LIKE 'list:%' OR name LIKE 'storage:%')";
  const counted = db.prepare(`SELECT name, n FROM counters WHERE ${depths} AND n <> 0 ORDER BY name`).all();
  const byName = (a: { name?: unknown }, b: { name?: unknown }) => String(a.name).localeCompare(String(b.name), "en");
  expect(counted.length).toBeGreaterThan(2);
  expect(counted.toSorted(byName)).toEqual([...there.all(), ...pending.all()].toSorted(byName));
  close();
});
