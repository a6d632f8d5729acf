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
  submitOne,
} from "./samples.ts";

/** What becomes of the entries a dead owner held. */
export function deaths(open: OpenBackend): void {
  part("deaths", open, dying);
}

const uuidsOf = (runs: readonly Claim[]) => runs.map(({ uuid }) => uuid);
const change = (content: unknown, base = 1) => ({ base, bytes: bytesOf(content), index: plainIndex });

function dying({ backend, second }: Given): void {
  test("what a dead owner held is suspect: only who asks for suspects gets it, and nothing else", async () => {
    const list = freshList();
    const suspect = await submitOne(backend(), [list]);
    await claimOne(backend(), list, { owner: "dead" });
    const fresh = await submitOne(backend(), [list]);
    expect(await backend().abandon("dead", [list])).toBe(1);
    expect(await backend().suspects([list])).toEqual([1]);
    const usual = await claimFrom(backend(), list, { owner: "alive" });
    expect(uuidsOf(usual.runs)).toEqual([fresh]);
    expect(usual.suspects).toBe(1);
    const alone = await claimFrom(backend(), list, { owner: "alive", suspects: true });
    expect(uuidsOf(alone.runs)).toEqual([suspect]);
    expect(alone.suspects).toBe(0);
  });

  test("a death counts only for what ran alone", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    await claimOne(backend(), list, { owner: "a" });
    await backend().abandon("a", [list]);
    const first = await claimOne(backend(), list, { owner: "b", suspects: true, max: 1 });
    expect(first.deaths).toBe(0);
    await backend().abandon("b", [list]);
    const second = await claimOne(backend(), list, { owner: "c", suspects: true, max: 1 });
    expect(second.deaths).toBe(1);
    await backend().abandon("c", [list]);
    expect((await claimOne(backend(), list, { owner: "d", suspects: true, max: 1 })).deaths).toBe(2);
  });

  test("a death counts against none of those that ran together", async () => {
    const list = freshList();
    const uuids = [freshUuid(), freshUuid()];
    await backend().push(list, uuids);
    await claimFrom(backend(), list, { owner: "a" });
    await backend().abandon("a", [list]);
    const lists = [{ name: list, chain: "c", max: 5 }];
    const together = await backend().claim({ owner: "b", lists, suspects: true, together: true });
    expect(uuidsOf(together.runs)).toEqual(uuids);
    expect(await backend().abandon("b", [list])).toBe(2);
    const alone = await claimFrom(backend(), list, { owner: "c", suspects: true, max: 2 });
    expect(alone.runs.map(({ deaths }) => deaths)).toEqual([0, 0]);
  });

  test("suspects are handed out up to the number asked for", async () => {
    const list = freshList();
    await backend().push(list, [freshUuid(), freshUuid(), freshUuid()]);
    await claimFrom(backend(), list, { owner: "dead" });
    await backend().abandon("dead", [list]);
    const one = await claimFrom(backend(), list, { owner: "o", suspects: true, max: 1 });
    expect(one.runs).toHaveLength(1);
    expect(one.suspects).toBe(2);
  });

  test("only the dead owner's leases are taken, on these lists", async () => {
    const [list, other] = [freshList(), freshList()];
    await backend().push(list, [freshUuid()]);
    await claimOne(backend(), list, { owner: "dead" });
    await backend().push(list, [freshUuid()]);
    const alive = await claimOne(backend(), list, { owner: "alive" });
    await backend().push(other, [freshUuid()]);
    await claimOne(backend(), other, { owner: "dead" });
    expect(await backend().abandon("dead", [list])).toBe(1);
    expect(await backend().suspects([list, other])).toEqual([1, 0]);
    expect(await backend().settle([done(alive)])).toMatchObject([{ kind: "ok" }]);
  });

  test("a late worker cannot commit over the one that has the lease now", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const late = await claimOne(backend(), list, { owner: "late" });
    const other = await second();
    await other.abandon("late", [list]);
    const run = await claimOne(other, list, { owner: "next", suspects: true });
    expect(await backend().settle([done(late, { change: change({ by: "late" }), sendTo: [`${list}_x`] })])).toEqual([
      { kind: "lost" },
    ]);
    expect(await other.settle([done(run, { change: change({ by: "next" }) })])).toMatchObject([{ kind: "ok", rev: 2 }]);
    expect(contentOf((await backend().read([uuid]))[0]?.bytes)).toEqual({ by: "next" });
    expect(await backend().depths([`${list}_x`])).toEqual([0]);
    await other.close();
  });

  test("a suspect that ended well is over", async () => {
    const list = freshList();
    await submitOne(backend(), [list]);
    await claimOne(backend(), list, { owner: "dead" });
    await backend().abandon("dead", [list]);
    const run = await claimOne(backend(), list, { suspects: true });
    expect(await backend().settle([done(run)])).toMatchObject([{ kind: "ok" }]);
    await backend().abandon("owner-1", [list]);
    expect(await backend().suspects([list])).toEqual([0]);
  });
}
