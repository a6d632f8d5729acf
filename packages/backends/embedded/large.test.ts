import {
  claimFrom,
  done,
  freshList,
  freshUuid,
  submission,
  submitOne,
} from "@vcon-server/core/backend/conformance/samples";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyStore } from "./testing/empty-store.ts";

const MIB = 1024 * 1024;
const large = (): Uint8Array => new Uint8Array(12 * MIB).fill(32);

let store: Awaited<ReturnType<typeof emptyStore>>;
beforeAll(async () => {
  store = await emptyStore();
});
afterAll(() => store.close());

describe("large documents", () => {
  test("a claim is bounded by bytes; what it leaves keeps its place and comes with the next ones", async () => {
    const { backend } = store;
    const list = freshList();
    const uuids: string[] = [];
    for (let n = 0; n < 6; n++) uuids.push(await submitOne(backend, [list], { bytes: large() }));
    const first = await claimFrom(backend, list);
    expect(first.runs.length).toBeGreaterThan(0);
    expect(first.runs.length * 12).toBeLessThan(60);
    expect(await backend.depths([list])).toEqual([6 - first.runs.length]);
    const claimed = first.runs.map(({ uuid }) => uuid);
    for (let tries = 0; claimed.length < 6 && tries < 6; tries++) {
      claimed.push(...(await claimFrom(backend, list)).runs.map(({ uuid }) => uuid));
    }
    expect(claimed).toEqual(uuids);
  });

  test("suspects that a claim leaves are still suspects", async () => {
    const { backend } = store;
    const list = freshList();
    for (let n = 0; n < 6; n++) await submitOne(backend, [list], { bytes: large() });
    for (let tries = 0; (await backend.depths([list]))[0] !== 0 && tries < 6; tries++) {
      await claimFrom(backend, list, { owner: "dead" });
    }
    expect(await backend.abandon("dead", [list])).toBe(6);
    const { runs } = await backend.claim({
      owner: "lane",
      lists: [{ name: list, chain: "chain", max: 10 }],
      suspects: true,
      together: true,
    });
    expect(runs.length).toBeLessThan(6);
    expect(await backend.suspects([list])).toEqual([6 - runs.length]);
    expect(await backend.depths([list])).toEqual([0]);
  });

  test("a read brings everything, however much it is", async () => {
    const { backend } = store;
    const uuids = await Promise.all(Array.from({ length: 5 }, () => submitOne(backend, [], { bytes: large() })));
    const found = await backend.read([...uuids, freshUuid()]);
    expect(found.map((document) => document?.uuid)).toEqual([...uuids, undefined]);
  });

  test("due deliveries are bounded by bytes and come up again", async () => {
    const { backend } = store;
    const list = freshList();
    const uuids: string[] = [];
    for (let n = 0; n < 5; n++) {
      uuids.push(await submitOne(backend, [list], { bytes: large() }));
      const { runs } = await claimFrom(backend, list);
      await backend.settle(runs.map((run) => done(run, { storages: ["archive"], deliveryLease: 1 })));
    }
    const first = await backend.claimDeliveries(64, 60_000);
    expect(first.length).toBeLessThan(5);
    const tasks = [...first];
    for (let tries = 0; tasks.length < 5 && tries < 5; tries++)
      tasks.push(...(await backend.claimDeliveries(64, 60_000)));
    expect(tasks.map(({ uuid }) => uuid).toSorted()).toEqual(uuids.toSorted());
  });
});

describe("a busy owner", () => {
  test("is not taken for dead, however long one request takes", { timeout: 120_000 }, async () => {
    const { backend } = store;
    const other = await store.second();
    const uuid = freshUuid();
    await backend.submit([submission(uuid)]);
    // one transaction of many seconds: the index entries of one vCon, written again and again
    const terms = (n: number) => Array.from({ length: 20 }, (_, at) => `name:${n} ${at}` as const);
    const entries = Array.from({ length: 120_000 }, (_, n) => ({ uuid, index: { createdAt: n, terms: terms(n) } }));
    const busy = backend.reindex(entries);
    const asked = Promise.all([other.depths(["in"]), other.read([uuid])]);
    await expect(busy).resolves.toBeUndefined();
    expect((await asked)[0]).toEqual([0]);
    expect(await backend.search(["name:119999 19"])).toEqual([uuid]);
    await other.close();
  });
});
