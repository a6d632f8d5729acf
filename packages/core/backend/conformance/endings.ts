import type { VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import type { Backend, Ending, Lease } from "../backend.ts";
import type { OpenBackend } from "./index.ts";
import { part } from "./part.ts";
import {
  bytesOf,
  claimFrom,
  claimOne,
  contentOf,
  done,
  freshList,
  plainIndex,
  record,
  submission,
  submitOne,
} from "./samples.ts";

/** How runs end: stored, sent on, delayed, dead, in conflict. */
export function endings(open: OpenBackend): void {
  part("endings", open, ({ backend }) => {
    finishing(backend);
    conflicting(backend);
    postponing(backend);
    failing(backend);
  });
}

type Given = () => Backend;

const change = (content: unknown, base: number) => ({ base, bytes: bytesOf(content), index: plainIndex });
const never = new AbortController().signal;

async function contentNow(backend: Backend, uuid: VconUuid): Promise<unknown> {
  return contentOf((await backend.read([uuid]))[0]?.bytes);
}

function finishing(backend: Given): void {
  test("done: the document is stored under the next revision, the uuid sent on, the lease over", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    const ending = done(run, { change: change({ tagged: true }, 1), sendTo: [`${list}_a`], egress: [`${list}_b`] });
    expect(await backend().settle([ending])).toEqual([{ kind: "ok", rev: 2, deliver: [] }]);
    expect(await backend().read([uuid])).toMatchObject([{ rev: 2 }]);
    expect(await contentNow(backend(), uuid)).toEqual({ tagged: true });
    expect(await backend().peek(`${list}_a`, 0, 5)).toEqual([uuid]);
    expect(await backend().peek(`${list}_b`, 0, 5)).toEqual([uuid]);
    expect(await backend().abandon("owner-1", [list])).toBe(0);
  });

  test("done without a change leaves document and revision alone", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list], { content: { n: 1 } });
    const run = await claimOne(backend(), list);
    const [result] = await backend().settle([done(run, { egress: [`${list}_out`] })]);
    expect(result?.kind).toBe("ok");
    expect(await backend().read([uuid])).toMatchObject([{ rev: 1 }]);
    expect(await backend().depths([`${list}_out`])).toEqual([1]);
  });

  test("a list named twice gets the uuid twice, in the order of the runs", async () => {
    const list = freshList();
    const out = `${list}_out`;
    const first = await submitOne(backend(), [list]);
    const second = await submitOne(backend(), [list]);
    const { runs } = await claimFrom(backend(), list);
    await backend().settle(runs.map((run) => done(run, { sendTo: [out, out] })));
    expect(await backend().peek(out, 0, 9)).toEqual([first, first, second, second]);
  });

  test("a change moves the document in the index", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list], {
      index: { createdAt: 1, terms: [`name:old ${list}`, `name:both ${list}`] },
    });
    const run = await claimOne(backend(), list);
    const index = { createdAt: 8_000_000_000, terms: [`name:both ${list}`, `name:new ${list}`] as const };
    await backend().settle([done(run, { change: { ...change({ n: 2 }, 1), index } })]);
    expect(await backend().search([`name:old ${list}`])).toEqual([]);
    expect(await backend().search([`name:both ${list}`, `name:new ${list}`])).toEqual([uuid]);
    expect(await backend().list({ since: 8_000_000_000, until: 8_000_000_000, offset: 0, limit: 5 })).toEqual([uuid]);
  });

  test("halted: a change is stored and the uuid sent where the link asked, nothing more", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    const ending: Ending = {
      kind: "halted",
      lease: run,
      change: change({ halted: 1 }, 1),
      sendTo: [`${list}_to`],
      expiry: { kind: "keep" },
    };
    expect(await backend().settle([ending])).toEqual([{ kind: "ok", rev: 2, deliver: [] }]);
    expect(await contentNow(backend(), uuid)).toEqual({ halted: 1 });
    expect(await backend().peek(`${list}_to`, 0, 5)).toEqual([uuid]);
    expect(await backend().deliveries(uuid)).toEqual({});
    expect(await backend().abandon("owner-1", [list])).toBe(0);
  });

  test("the same ending again is not done again", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    const ending = done(run, { change: change({ once: true }, 1), sendTo: [`${list}_to`] });
    await backend().settle([ending]);
    const [again] = await backend().settle([ending]);
    expect(["ok", "lost"]).toContain(again?.kind);
    expect(await backend().read([uuid])).toMatchObject([{ rev: 2 }]);
    expect(await backend().depths([`${list}_to`])).toEqual([1]);
  });

  test("a batch is answered in its order, and one ending does not disturb the others", async () => {
    const list = freshList();
    for (let n = 0; n < 5; n++) await submitOne(backend(), [list], { content: { n } });
    const { runs } = await claimFrom(backend(), list);
    const [a, b, c, d, e] = runs.map((run): Lease => run) as [Lease, Lease, Lease, Lease, Lease];
    await backend().remove(b.uuid, []);
    await backend().submit([submission(c.uuid, { content: { newer: 1 } })]);
    const results = await backend().settle([
      done(a, { change: change({ a: 1 }, 1) }),
      done(b, { change: change({ b: 1 }, 1) }),
      done(c, { change: change({ c: 1 }, 1) }),
      done({ ...d, token: d.token + 1_000 }, { change: change({ d: 1 }, 1) }),
      { kind: "release", lease: e },
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["ok", "gone", "conflict", "lost", "ok"]);
    expect(await contentNow(backend(), a.uuid)).toEqual({ a: 1 });
    expect(await contentNow(backend(), d.uuid)).toEqual({ n: 3 });
    expect(await backend().peek(list, 0, 5)).toEqual([e.uuid]);
  });
}

function conflicting(backend: Given): void {
  test("a document that changed meanwhile is a conflict: nothing is done and the lease is still held", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list], { content: { n: 1 } });
    const run = await claimOne(backend(), list);
    await backend().submit([submission(uuid, { content: { n: 2 } })]);
    const [conflict] = await backend().settle([done(run, { change: change({ mine: 1 }, 1), sendTo: [`${list}_to`] })]);
    expect(conflict).toMatchObject({ kind: "conflict", current: { uuid, rev: 2 } });
    expect(conflict?.kind === "conflict" && contentOf(conflict.current?.bytes)).toEqual({ n: 2 });
    expect(await contentNow(backend(), uuid)).toEqual({ n: 2 });
    expect(await backend().depths([`${list}_to`])).toEqual([0]);
    const merged = done(run, { change: change({ n: 2, mine: 1 }, 2), sendTo: [`${list}_to`] });
    expect(await backend().settle([merged])).toEqual([{ kind: "ok", rev: 3, deliver: [] }]);
    expect(await backend().depths([`${list}_to`])).toEqual([1]);
  });

  test("of two chains that changed one vCon from the same revision the second hears of the first", async () => {
    const [one, two] = [freshList(), freshList()];
    const uuid = await submitOne(backend(), [one, two]);
    const first = await claimOne(backend(), one, { chain: "one" });
    const second = await claimOne(backend(), two, { chain: "two" });
    const results = await backend().settle([
      done(first, { change: change({ by: 1 }, 1) }),
      done(second, { change: change({ by: 2 }, 1) }),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["ok", "conflict"]);
    expect(await contentNow(backend(), uuid)).toEqual({ by: 1 });
    expect(await backend().settle([done(second, { change: change({ by: [1, 2] }, 2) })])).toMatchObject([
      { kind: "ok", rev: 3 },
    ]);
  });

  test("a run without a change does not conflict", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list], { content: { n: 1 } });
    const run = await claimOne(backend(), list);
    await backend().submit([submission(uuid, { content: { n: 2 } })]);
    expect(await backend().settle([done(run)])).toMatchObject([{ kind: "ok" }]);
    expect(await contentNow(backend(), uuid)).toEqual({ n: 2 });
  });
}

function postponing(backend: Given): void {
  const checkpoint = { config: "c", index: 1, link: "webhook", attempt: 2, json: "{}", base: 1, sendTo: ["x"] };

  test("later: not before its time", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    expect(await backend().settle([{ kind: "later", lease: run, delay: 60_000, attempt: 1 }])).toMatchObject([
      { kind: "ok" },
    ]);
    expect((await claimFrom(backend(), list)).runs).toEqual([]);
    expect(await backend().depths([list])).toEqual([0]);
    expect(await backend().abandon("owner-1", [list])).toBe(0);
  });

  test("later: when due it comes before the list, with attempt and checkpoint, under a new token", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    await submitOne(backend(), [list]);
    await backend().settle([{ kind: "later", lease: run, delay: 0, attempt: 2, checkpoint }]);
    const again = await claimOne(backend(), list, { max: 1 });
    expect(again).toMatchObject({ uuid, entry: run.entry, attempt: 2, checkpoint });
    expect(again.token).toBeGreaterThan(run.token);
    expect(await backend().settle([done(run)])).toEqual([{ kind: "lost" }]);
    expect(await backend().settle([done(again)])).toMatchObject([{ kind: "ok" }]);
  });

  test("an entry that comes due wakes who waits", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    await backend().settle([{ kind: "later", lease: run, delay: 120, attempt: 1 }]);
    for (let tries = 0; tries < 100; tries++) {
      await backend().waitForWork([list], 1_000, never);
      const { runs } = await claimFrom(backend(), list);
      if (runs.length > 0) return;
    }
    throw new Error("the entry never came due");
  });

  test("later by a lease that moved on is lost", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list, { owner: "late" });
    await backend().abandon("late", [list]);
    await claimOne(backend(), list, { owner: "next", suspects: true });
    expect(await backend().settle([{ kind: "later", lease: run, delay: 0, attempt: 1 }])).toEqual([{ kind: "lost" }]);
    expect(await backend().settle([{ kind: "release", lease: run }])).toEqual([{ kind: "lost" }]);
  });

  test("later for a deleted vCon ends it", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    await backend().remove(uuid, []);
    await backend().settle([{ kind: "later", lease: run, delay: 0, attempt: 1, checkpoint }]);
    expect((await claimFrom(backend(), list)).runs).toEqual([]);
    expect(await backend().suspects([list])).toEqual([0]);
  });
}

function failing(backend: Given): void {
  const checkpoint = { config: "c", index: 2, link: "webhook", attempt: 0, sendTo: [] };

  test("dead: what earlier links made is kept, the record is listed, nothing is sent on", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    const letter = record(run);
    const ending: Ending = {
      kind: "dead",
      lease: run,
      change: change({ half: 1 }, 1),
      dlq,
      record: letter,
      checkpoint,
    };
    expect(await backend().settle([ending])).toMatchObject([{ kind: "ok", rev: 2 }]);
    expect(await contentNow(backend(), uuid)).toEqual({ half: 1 });
    expect(await backend().peek(dlq, 0, 5)).toEqual([uuid]);
    expect(await backend().deadLetters({ dlq, offset: 0, limit: 5 })).toEqual([{ uuid, record: letter }]);
    expect(await backend().abandon("owner-1", [list])).toBe(0);
  });

  test("the same death again is one dead letter", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    const ending: Ending = { kind: "dead", lease: run, dlq, record: record(run) };
    await backend().settle([ending]);
    await backend().settle([ending]);
    expect(await backend().depths([dlq])).toEqual([1]);
  });

  test("put back, the chain goes on at its checkpoint; another chain begins at the start", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list, { chain: "mine" });
    await backend().settle([{ kind: "dead", lease: run, dlq, record: record(run), checkpoint }]);
    expect(await backend().reprocess(dlq, 10, { fallback: list })).toBe(1);
    const other = freshList();
    await backend().push(other, [uuid]);
    expect((await claimOne(backend(), other, { chain: "other" })).checkpoint).toBeUndefined();
    const again = await claimOne(backend(), list, { chain: "mine" });
    expect(again).toMatchObject({ uuid, attempt: 0, checkpoint });
    await backend().settle([done(again)]);
    await backend().push(list, [uuid]);
    expect((await claimOne(backend(), list, { chain: "mine" })).checkpoint).toBeUndefined();
  });

  test("new content does not go on where old content failed", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list], { content: { n: 1 } });
    const run = await claimOne(backend(), list);
    await backend().settle([{ kind: "dead", lease: run, dlq: `${list}_dlq`, record: record(run), checkpoint }]);
    await backend().submit([submission(uuid, { content: { n: 2 }, lists: [list] })]);
    expect((await claimOne(backend(), list)).checkpoint).toBeUndefined();
  });

  test("an entry that is no uuid can be dead-lettered and put back", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    await backend().push(list, ["not {a} uuid"]);
    const run = await claimOne(backend(), list);
    await backend().settle([{ kind: "dead", lease: run, dlq, record: record(run) }]);
    expect(await backend().deadLetters({ dlq, offset: 0, limit: 5 })).toMatchObject([{ uuid: "not {a} uuid" }]);
    expect(await backend().reprocess(dlq, 1, { fallback: list })).toBe(1);
    expect(await backend().peek(list, 0, 5)).toEqual(["not {a} uuid"]);
  });
}
