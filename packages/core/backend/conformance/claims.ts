import fc from "fast-check";
import { expect, test } from "vitest";
import type { Claim } from "../backend.ts";
import type { OpenBackend } from "./index.ts";
import { type Given, part } from "./part.ts";
import {
  bytesOf,
  claimFrom,
  claimOne,
  contentOf,
  done,
  freshList,
  freshUuid,
  plainIndex,
  submission,
  submitOne,
} from "./samples.ts";

/** Leasing entries, losing leases, suspects, and giving entries back. */
export function claims(open: OpenBackend): void {
  part("claims", open, (given) => {
    leasing(given);
    resuming(given);
    givingBack(given);
  });
  part("leases that run out", () => open({ leaseMs: SHORT }), runningOut);
}

const SHORT = 300;
const never = new AbortController().signal;
const uuidsOf = (runs: readonly Claim[]) => runs.map(({ uuid }) => uuid);
const change = (content: unknown, base = 1) => ({ base, bytes: bytesOf(content), index: plainIndex });

function leasing({ backend }: Given): void {
  test("entries come from the head, oldest first, with document, chain and a token that grows", async () => {
    const list = freshList();
    const uuids = [];
    for (const n of [1, 2, 3]) uuids.push(await submitOne(backend(), [list], { content: { n } }));
    const first = await claimFrom(backend(), list, { max: 2, chain: "triage" });
    const second = await claimFrom(backend(), list, { max: 5, chain: "triage" });
    const runs = [...first.runs, ...second.runs];
    expect(uuidsOf(runs)).toEqual(uuids);
    expect(runs.map(({ document }) => contentOf(document?.bytes))).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(
      runs.every((run) => run.list === list && run.chain === "triage" && run.attempt === 0 && run.deaths === 0),
    ).toBe(true);
    expect(runs.map(({ token }) => token)).toEqual(runs.map(({ token }) => token).toSorted((a, b) => a - b));
    expect(second.runs[0]?.token).toBeGreaterThan(first.runs[0]?.token ?? Number.NaN);
    expect(runs[0]?.document).toMatchObject({ uuid: uuids[0], rev: 1 });
    expect(await backend().depths([list])).toEqual([0]);
  });

  test("a leased entry is handed to nobody else", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    await claimOne(backend(), list, { owner: "one" });
    expect((await claimFrom(backend(), list, { owner: "two" })).runs).toEqual([]);
  });

  test("claims at once by many owners hand out each entry once", async () => {
    const list = freshList();
    const uuids = await Promise.all(Array.from({ length: 60 }, () => submitOne(backend(), [list])));
    const claimed = await Promise.all(
      Array.from({ length: 12 }, (_, at) => claimFrom(backend(), list, { owner: `o${at}`, max: 7 })),
    );
    expect(claimed.flatMap(({ runs }) => uuidsOf(runs)).toSorted()).toEqual(uuids.toSorted());
  });

  test("one claim takes from several lists, each up to its own share", async () => {
    const lists = [freshList(), freshList(), freshList()] as const;
    for (const list of lists) await backend().push(list, [freshUuid(), freshUuid(), freshUuid()]);
    const wanted = lists.map((name, at) => ({ name, chain: "chain", max: at }));
    const { runs } = await backend().claim({ owner: "o", lists: wanted, suspects: false });
    expect(lists.map((name) => runs.filter(({ list }) => list === name).length)).toEqual([0, 1, 2]);
  });

  test("a large claim brings every entry with its own document", async () => {
    const list = freshList();
    const uuids = Array.from({ length: 300 }, () => freshUuid());
    await backend().submit(uuids.map((uuid, n) => submission(uuid, { lists: [list], content: { n } })));
    const { runs } = await claimFrom(backend(), list, { max: 1_000 });
    expect(uuidsOf(runs)).toEqual(uuids);
    expect(runs.map(({ document }) => contentOf(document?.bytes))).toEqual(uuids.map((_, n) => ({ n })));
    const results = await backend().settle(runs.map((run) => done(run, { change: change({ by: run.uuid }) })));
    expect(results.every((result) => result.kind === "ok" && result.rev === 2)).toBe(true);
    const documents = await backend().read(uuids);
    expect(documents.map((document) => contentOf(document?.bytes))).toEqual(uuids.map((uuid) => ({ by: uuid })));
  });

  test("any sequence of pushes and claims keeps the order of every list", async () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ claim: fc.integer({ min: 1, max: 5 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const list = freshList();
        const pushed: string[] = [];
        const claimed: string[] = [];
        for (const at of steps) {
          if ("push" in at) {
            const uuids = Array.from({ length: at.push }, () => freshUuid());
            pushed.push(...uuids);
            await backend().push(list, uuids);
          } else claimed.push(...uuidsOf((await claimFrom(backend(), list, { max: at.claim })).runs));
        }
        expect(claimed).toEqual(pushed.slice(0, claimed.length));
        expect(await backend().depths([list])).toEqual([pushed.length - claimed.length]);
      }),
      { numRuns: 25 },
    );
  });

  test("an entry without a working copy is handed out without a document", async () => {
    const list = freshList();
    const uuid = freshUuid();
    await backend().push(list, [uuid]);
    const run = await claimOne(backend(), list);
    expect([run.uuid, run.document, run.checkpoint]).toEqual([uuid, undefined, undefined]);
  });

  test("anything may stand in a list: it is handed out as it is, and can be ended", async () => {
    const list = freshList();
    const entries = ["not a uuid", "zwölf 王", "{a}{b}", "", "vcs:{x}:runs", "a b c d e f"];
    await backend().push(list, entries);
    const { runs } = await claimFrom(backend(), list);
    expect(uuidsOf(runs)).toEqual(entries);
    expect(runs.every(({ document }) => document === undefined)).toBe(true);
    const ended = await backend().settle(runs.map((run) => done(run, { sendTo: [`${list}_next`] })));
    expect(ended.map(({ kind }) => kind)).toEqual(entries.map(() => "ok"));
    expect(await backend().peek(`${list}_next`, 0, 10)).toEqual(entries);
    await backend().abandon("owner-1", [list]);
    expect(await backend().suspects([list])).toEqual([0]);
  });

  test("the same vCon twice in a list is two entries", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    await backend().push(list, [uuid]);
    const { runs } = await claimFrom(backend(), list);
    expect(uuidsOf(runs)).toEqual([uuid, uuid]);
    expect(new Set(runs.map(({ entry }) => entry)).size).toBe(2);
  });

  test("entries of deleted vCons are dropped on the way", async () => {
    const list = freshList();
    const deleted = await submitOne(backend(), [list]);
    const kept = await submitOne(backend(), [list]);
    await backend().remove(deleted, []);
    expect(uuidsOf((await claimFrom(backend(), list)).runs)).toEqual([kept]);
    await backend().abandon("owner-1", [list]);
    expect(await backend().suspects([list])).toEqual([1]);
  });
}

function resuming({ backend }: Given): void {
  const checkpoint = {
    config: "0123456789ab",
    index: 2,
    link: "webhook",
    attempt: 1,
    base: 1,
    json: '{"half":"way"}',
    sendTo: ["a"],
    expireIn: 60,
  };

  test("a checkpoint comes back with the entry, whoever has it next", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list, { owner: "one" });
    expect(await backend().checkpoint([{ lease: run, checkpoint }])).toEqual(["ok"]);
    await backend().abandon("one", [list]);
    const again = await claimOne(backend(), list, { owner: "two", suspects: true });
    expect(again).toMatchObject({ entry: run.entry, checkpoint });
    expect(again.token).toBeGreaterThan(run.token);
  });

  test("a checkpoint of a lease that moved on is refused", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list, { owner: "one" });
    await backend().abandon("one", [list]);
    await claimOne(backend(), list, { owner: "two", suspects: true });
    expect(await backend().checkpoint([{ lease: run, checkpoint }])).toEqual(["lost"]);
  });

  test("a checkpoint of a deleted vCon is refused as gone", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    await backend().remove(uuid, []);
    expect(await backend().checkpoint([{ lease: run, checkpoint }])).toEqual(["gone"]);
  });

  test("one entry's checkpoint is not another's", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    await backend().checkpoint([{ lease: run, checkpoint }]);
    await backend().push(list, [uuid]);
    expect((await claimOne(backend(), list)).checkpoint).toBeUndefined();
  });
}

function givingBack({ backend }: Given): void {
  test("giveBack() returns what the owner does not know of: due at once, no suspect", async () => {
    const list = freshList();
    const uuids = await Promise.all([1, 2, 3].map(() => submitOne(backend(), [list])));
    const { runs } = await claimFrom(backend(), list, { owner: "o" });
    const known = runs.slice(0, 1);
    expect(await backend().giveBack("o", [list], known)).toBe(2);
    expect(await backend().suspects([list])).toEqual([0]);
    const again = await claimFrom(backend(), list, { owner: "o" });
    expect(uuidsOf(again.runs).toSorted()).toEqual(uuids.filter((uuid) => uuid !== known[0]?.uuid).toSorted());
    expect(await backend().settle(known.map((run) => done(run)))).toMatchObject([{ kind: "ok" }]);
  });

  test("giveBack() leaves other owners alone", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list, { owner: "one" });
    expect(await backend().giveBack("two", [list], [])).toBe(0);
    expect(await backend().settle([done(run)])).toMatchObject([{ kind: "ok" }]);
  });

  test("a released entry goes back to the head of its list", async () => {
    const list = freshList();
    const uuids = await Promise.all([1, 2].map(() => freshUuid()));
    await backend().push(list, uuids);
    const run = await claimOne(backend(), list, { max: 1 });
    expect(await backend().settle([{ kind: "release", lease: run }])).toMatchObject([{ kind: "ok" }]);
    expect(await backend().peek(list, 0, 5)).toEqual(uuids);
    expect(await backend().settle([done(run)])).toEqual([{ kind: "lost" }]);
  });

  test("a released entry keeps its checkpoint and comes before the list", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    const checkpoint = { config: "c", index: 1, link: "l", attempt: 0, sendTo: [] };
    await backend().checkpoint([{ lease: run, checkpoint }]);
    await submitOne(backend(), [list]);
    await backend().settle([{ kind: "release", lease: run }]);
    expect(await claimOne(backend(), list, { max: 1 })).toMatchObject({ uuid: run.uuid, checkpoint });
  });

  test("a released suspect stays one", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    await claimOne(backend(), list, { owner: "dead" });
    await backend().abandon("dead", [list]);
    const run = await claimOne(backend(), list, { suspects: true });
    await backend().settle([{ kind: "release", lease: run }]);
    expect((await claimFrom(backend(), list)).runs).toEqual([]);
    expect((await claimOne(backend(), list, { suspects: true })).deaths).toBe(0);
  });
}

function runningOut({ backend, second }: Given): void {
  /** Claims with another owner until the lease has run out; a wait for work on the list is the clock. */
  async function untilSuspect(list: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      await claimFrom(backend(), list, { owner: "watching", max: 1 });
      if ((await backend().suspects([list]))[0] === 1) return;
      await backend().waitForWork([list], 50, never);
    }
    throw new Error("the lease did not run out");
  }

  test("without heartbeats the entry becomes suspect, and its old holder can do no harm", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list, { owner: "silent" });
    await untilSuspect(list);
    const next = await claimOne(backend(), list, { owner: "watching", suspects: true });
    expect(next.uuid).toBe(uuid);
    expect(await backend().settle([done(run, { change: change({ by: "silent" }) })])).toEqual([{ kind: "lost" }]);
    expect(await backend().settle([done(next, { change: change({ by: "watching" }) })])).toMatchObject([
      { kind: "ok", rev: 2 },
    ]);
  });

  test("heartbeats of another client keep the lease", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list, { owner: "beating" });
    const heart = await second();
    for (let beats = 0; beats < 12; beats++) {
      await heart.heartbeat("beating", [list]);
      await claimFrom(backend(), list, { owner: "watching" });
      await backend().waitForWork([list], SHORT / 4, never);
    }
    expect(await backend().suspects([list])).toEqual([0]);
    expect(await backend().settle([done(run)])).toMatchObject([{ kind: "ok" }]);
    await heart.close();
  });
}
