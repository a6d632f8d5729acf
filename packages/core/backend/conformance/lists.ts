import fc from "fast-check";
import { expect, test } from "vitest";
import type { Backend } from "../backend.ts";
import type { OpenBackend } from "./index.ts";
import { part } from "./part.ts";
import { claimFrom, claimOne, freshList, freshUuid, record, submitOne } from "./samples.ts";

const never = new AbortController().signal;
/** Longer than any test may take: a wait that ends did not end by its timeout. */
const LONG = 60_000;

/** Lists as other programs see them, and waiting for work. */
export function lists(open: OpenBackend): void {
  part("lists", open, ({ backend, second }) => {
    order(backend);
    waiting(backend);
    leftBehind(backend);

    test("a deleted vCon leaves the lists it waits in, and is never handed out from others", async () => {
      const [list, egress, elsewhere] = [freshList(), freshList(), freshList()];
      const deleted = await submitOne(backend(), [list]);
      const kept = await submitOne(backend(), [list]);
      for (const name of [egress, elsewhere]) await backend().push(name, [kept, deleted, deleted, kept]);
      await backend().remove(deleted, [], [egress]);
      expect(await backend().peek(list, 0, 9)).toEqual([kept]);
      expect(await backend().peek(egress, 0, 9)).toEqual([kept, kept]);
      expect(await backend().pop(elsewhere, 2)).toEqual([kept, kept]);
      expect(await backend().pop(elsewhere, 2)).toEqual([]);
    });

    test("a push through one client wakes another", async () => {
      const list = freshList();
      const other = await second();
      const woken = other.waitForWork([list], LONG, never);
      await backend().push(list, [freshUuid()]);
      await woken;
      await other.close();
    });
  });
}

function leftBehind(backend: () => Backend): void {
  test("lists that workers take from and dead-letter lists are found when nothing names them any more", async () => {
    const [list, other] = [freshList(), freshList()];
    const dlq = `${list}_dlq`;
    for (let n = 0; n < 2; n++) await submitOne(backend(), [list]);
    const { runs } = await claimFrom(backend(), list, { max: 2 });
    const [first, second] = runs;
    if (first === undefined || second === undefined) throw new Error("expected two runs");
    await backend().settle([
      { kind: "dead", lease: first, dlq, record: record(first) },
      { kind: "later", lease: second, delay: 600_000, attempt: 1 },
    ]);
    await backend().push(list, [freshUuid()]);
    await backend().push(other, [freshUuid()]);
    const found = (await backend().holdings([])).filter((held) => [list, dlq, other].includes(held.list));
    expect(found.toSorted((a, b) => Number(a.dead) - Number(b.dead))).toEqual([
      { list, dead: false, waiting: 1, parked: 1 },
      { list: dlq, dead: true, waiting: 1, parked: 0 },
    ]);
    expect((await backend().holdings([list])).map((held) => held.list)).not.toContain(list);
    await backend().pop(list, 5);
    await backend().pop(dlq, 5);
    expect((await backend().holdings([])).map((held) => held.list)).not.toContain(dlq);
  });
}

function order(backend: () => Backend): void {
  test("unknown lists are empty", async () => {
    const list = freshList();
    expect(await backend().depths([list])).toEqual([0]);
    expect(await backend().peek(list, 0, 5)).toEqual([]);
    expect(await backend().pop(list, 5)).toEqual([]);
    expect(await backend().suspects([list])).toEqual([0]);
    expect(await backend().depths([])).toEqual([]);
  });

  test("entries are any text and may repeat", async () => {
    const list = freshList();
    const entries = ["not a uuid", "zwölf 王", "same", "same", "vcon:same", ""];
    await backend().push(list, entries);
    expect(await backend().pop(list, 10)).toEqual(entries);
  });

  test("peek() takes nothing and pages from the head", async () => {
    const list = freshList();
    await backend().push(list, ["a", "b", "c", "d"]);
    expect(await backend().peek(list, 1, 2)).toEqual(["b", "c"]);
    expect(await backend().peek(list, 3, 5)).toEqual(["d"]);
    expect(await backend().depths([list])).toEqual([4]);
  });

  test("pushing nothing changes nothing", async () => {
    const list = freshList();
    await backend().push(list, []);
    expect(await backend().depths([list])).toEqual([0]);
  });

  test("two that pop at once share the entries, each once", async () => {
    const list = freshList();
    const entries = Array.from({ length: 100 }, (_, n) => `e${n}`);
    await backend().push(list, entries);
    const taken = await Promise.all(Array.from({ length: 10 }, () => backend().pop(list, 10)));
    expect(taken.flat().toSorted()).toEqual(entries.toSorted());
  });

  test("any sequence of push, pop, peek and depths behaves like a queue", async () => {
    const step = fc.oneof(
      fc.record({ push: fc.array(fc.string({ maxLength: 8, unit: "grapheme-ascii" }), { maxLength: 5 }) }),
      fc.record({ pop: fc.integer({ min: 0, max: 4 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const list = freshList();
        let model: string[] = [];
        for (const at of steps) {
          if ("push" in at) {
            await backend().push(list, at.push);
            model = [...model, ...at.push];
          } else {
            expect(await backend().pop(list, at.pop)).toEqual(model.slice(0, at.pop));
            model = model.slice(at.pop);
          }
          expect(await backend().depths([list])).toEqual([model.length]);
        }
        expect(await backend().peek(list, 0, 100)).toEqual(model);
      }),
      { numRuns: 25 },
    );
  });
}

function waiting(backend: () => Backend): void {
  test("waitForWork() ends at once where there is work", async () => {
    const list = freshList();
    await backend().push(list, [freshUuid()]);
    await backend().waitForWork([freshList(), list], LONG, never);
  });

  test("waitForWork() ends when one of many lists gets work", async () => {
    const lists = Array.from({ length: 30 }, () => freshList());
    const woken = backend().waitForWork(lists, LONG, never);
    await submitOne(backend(), lists.slice(17, 18));
    await woken;
  });

  test("waitForWork() ends after its timeout, and when aborted", async () => {
    const list = freshList();
    await backend().waitForWork([list], 20, never);
    const stop = new AbortController();
    const woken = backend().waitForWork([list], LONG, stop.signal);
    stop.abort();
    await woken;
    await backend().waitForWork([list], LONG, AbortSignal.abort());
  });

  test("waitForWork() ends when a delayed entry comes due, and a claim then gets it", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const lease = await claimOne(backend(), list);
    await backend().settle([{ kind: "later", lease, delay: 60, attempt: 1 }]);
    let found = 0;
    for (let tries = 0; found === 0 && tries < 20; tries++) {
      await backend().waitForWork([list], 2_000, never);
      const claimed = await backend().claim({
        owner: "owner-1",
        lists: [{ name: list, chain: "chain", max: 5 }],
        suspects: false,
      });
      found = claimed.runs.filter((run) => run.uuid === uuid && run.attempt === 1).length;
    }
    expect(found).toBe(1);
  });
}
