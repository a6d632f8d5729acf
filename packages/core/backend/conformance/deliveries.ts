import type { VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import type { Backend, DeliveryReport, DeliveryTask, Ending } from "../backend.ts";
import type { OpenBackend } from "./index.ts";
import { part } from "./part.ts";
import { bytesOf, claimOne, contentOf, done, freshList, plainIndex, record, submission, submitOne } from "./samples.ts";

/** Bringing documents to storages: who may try when, what waits for it, and what becomes of failures. */
export function deliveries(open: OpenBackend): void {
  part("deliveries", open, ({ backend }) => {
    delivering(backend);
    waitingForStorages(backend);
    takingTurns(backend);
    retrying(backend);
    givingUp(backend);
    deleting(backend);
  });
}

type Given = () => Backend;
type DoneRest = Partial<Omit<Extract<Ending, { kind: "done" }>, "kind" | "lease">>;

const never = new AbortController().signal;
const pass = (backend: Backend, ms: number) => backend.waitForWork([freshList()], ms, never);
const change = (content: unknown, base: number) => ({ base, bytes: bytesOf(content), index: plainIndex });

/** A vCon whose run has just ended with deliveries. */
async function delivered(backend: Backend, rest: DoneRest) {
  const list = freshList();
  const uuid = await submitOne(backend, [list], { content: { n: 1 } });
  const run = await claimOne(backend, list);
  const storages = rest.storages ?? ["archive"];
  const [result] = await backend.settle([done(run, { storages, required: storages, ...rest })]);
  return { list, uuid, run, result };
}

const ok = (uuid: VconUuid, rev: number, storage = "archive"): DeliveryReport => {
  return { uuid, storage, action: "save", rev, result: { kind: "done" } };
};

const again = (uuid: VconUuid, rest: { readonly delay: number; readonly counts?: boolean }): DeliveryReport => {
  const result = { kind: "again" as const, code: "VCON_STORAGE_DOWN", message: "no answer", counts: true, ...rest };
  return { uuid, storage: "archive", action: "save", rev: 1, result };
};

/** What is due of this vCon; pairs of others are left to come up again. */
async function due(backend: Backend, uuid: VconUuid, lease = 60_000): Promise<DeliveryTask[]> {
  return (await backend.claimDeliveries(1_000, lease)).filter((task) => task.uuid === uuid);
}

async function untilDue(backend: Backend, uuid: VconUuid): Promise<DeliveryTask[]> {
  for (let tries = 0; tries < 200; tries++) {
    const tasks = await due(backend, uuid);
    if (tasks.length > 0) return tasks;
    await pass(backend, 20);
  }
  throw new Error(`nothing of ${uuid} came due`);
}

async function expectGone(backend: Backend, uuid: VconUuid): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (!(await backend.read([uuid]))[0]) return;
    await pass(backend, 20);
  }
  throw new Error(`${uuid} did not expire`);
}

function delivering(backend: Given): void {
  test("done hands the pairs to the caller, and says so to everybody else", async () => {
    const { uuid, result } = await delivered(backend(), {
      change: change({ n: 2 }, 1),
      storages: ["archive", "search"],
      required: [],
    });
    expect(result).toMatchObject({ kind: "ok", rev: 2 });
    expect(result?.kind === "ok" && result.deliver.toSorted()).toEqual(["archive", "search"]);
    const states = await backend().deliveries(uuid);
    expect(states).toMatchObject({ archive: { want: 2, attempt: 0 }, search: { want: 2, attempt: 0 } });
    expect(states["archive"]?.done).toBeUndefined();
    expect(await due(backend(), uuid)).toEqual([]);
    await backend().settleDeliveries([ok(uuid, 2), ok(uuid, 2, "search")]);
  });

  test("the backlog counts what is not delivered, by storage", async () => {
    const [one, two] = [freshList("storage"), freshList("storage")];
    const { uuid } = await delivered(backend(), { storages: [one, two] });
    await delivered(backend(), { storages: [two] });
    expect(await backend().backlog()).toMatchObject({ [one]: 1, [two]: 2 });
    await backend().settleDeliveries([ok(uuid, 1, one), ok(uuid, 1, two)]);
    const left = await backend().backlog();
    expect([left[one] ?? 0, left[two]]).toEqual([0, 1]);
  });

  test("a delivered pair is done at its revision and never due again", async () => {
    const { uuid } = await delivered(backend(), { deliveryLease: 1 });
    expect(await backend().settleDeliveries([ok(uuid, 1)])).toEqual([{ kind: "settled" }]);
    const { archive } = await backend().deliveries(uuid);
    expect([archive?.want, archive?.done, archive?.error]).toEqual([1, 1, undefined]);
    await pass(backend(), 20);
    expect(await due(backend(), uuid)).toEqual([]);
  });

  test("the same run again delivers again", async () => {
    const { uuid, list } = await delivered(backend(), {});
    await backend().settleDeliveries([ok(uuid, 1)]);
    await backend().push(list, [uuid]);
    const [result] = await backend().settle([done(await claimOne(backend(), list), { storages: ["archive"] })]);
    expect(result).toMatchObject({ kind: "ok", deliver: ["archive"] });
    await backend().settleDeliveries([ok(uuid, 1)]);
  });

  test("a report about a pair nobody knows changes nothing", async () => {
    const uuid = await submitOne(backend(), []);
    expect(await backend().settleDeliveries([ok(uuid, 1, "unheard of")])).toEqual([{ kind: "settled" }]);
    expect(await backend().deliveries(uuid)).toEqual({});
  });
}

function waitingForStorages(backend: Given): void {
  test("egress waits for every required storage, and only for those", async () => {
    const out = freshList("out");
    const storages = ["archive", "ledger", "search"];
    const { uuid } = await delivered(backend(), {
      storages,
      required: ["archive", "ledger"],
      egress: [out],
      sendTo: [`${out}_now`],
    });
    expect(await backend().depths([out, `${out}_now`])).toEqual([0, 1]);
    await backend().settleDeliveries([ok(uuid, 1)]);
    expect(await backend().depths([out])).toEqual([0]);
    await backend().settleDeliveries([ok(uuid, 1, "ledger")]);
    expect(await backend().peek(out, 0, 5)).toEqual([uuid]);
    await backend().settleDeliveries([ok(uuid, 1, "search")]);
    expect(await backend().depths([out])).toEqual([1]);
  });

  test("egress does not wait where nothing is required", async () => {
    const out = freshList("out");
    const { uuid } = await delivered(backend(), { required: [], egress: [out] });
    expect(await backend().peek(out, 0, 5)).toEqual([uuid]);
  });

  test("a newer revision completes an older run too; each run is sent once", async () => {
    const [first, second] = [freshList("out"), freshList("out")];
    const { uuid, list } = await delivered(backend(), { egress: [first] });
    await backend().push(list, [uuid]);
    const run = await claimOne(backend(), list);
    await backend().settle([
      done(run, { change: change({ n: 2 }, 1), storages: ["archive"], required: ["archive"], egress: [second] }),
    ]);
    const [outcome] = await backend().settleDeliveries([ok(uuid, 1)]);
    expect(outcome?.kind).toBe("again");
    expect(await backend().depths([first, second])).toEqual([1, 0]);
    await backend().settleDeliveries([ok(uuid, 2)]);
    expect(await backend().depths([first, second])).toEqual([1, 1]);
  });

  test("expiry starts when the last delivery is done, not before", async () => {
    const { uuid } = await delivered(backend(), {
      storages: ["archive", "search"],
      required: ["archive"],
      expiry: { kind: "after", ms: 1 },
    });
    await backend().settleDeliveries([ok(uuid, 1)]);
    await pass(backend(), 30);
    expect((await backend().read([uuid]))[0]?.uuid).toBe(uuid);
    await backend().settleDeliveries([ok(uuid, 1, "search")]);
    await expectGone(backend(), uuid);
  });

  test("an expiry that a link asked for does not outrun a delivery: it counts from when nothing is owed", async () => {
    const { uuid } = await delivered(backend(), { expiry: { kind: "now", ms: 300 } });
    await backend().settleDeliveries([again(uuid, { delay: 0 })]);
    await pass(backend(), 500);
    await backend().repair();
    expect((await backend().read([uuid]))[0]?.uuid).toBe(uuid);
    const [task] = await untilDue(backend(), uuid);
    expect(task?.document?.uuid).toBe(uuid);
    await backend().settleDeliveries([ok(uuid, 1)]);
    expect((await backend().read([uuid]))[0]?.uuid).toBe(uuid);
    await expectGone(backend(), uuid);
  });

  test("a later run without a wish of its own leaves an expiry that a link asked for in force", async () => {
    const { uuid, list } = await delivered(backend(), { expiry: { kind: "now", ms: 1 } });
    await backend().push(list, [uuid]);
    await backend().settle([done(await claimOne(backend(), list), { expiry: { kind: "after", ms: 600_000 } })]);
    expect((await backend().read([uuid]))[0]?.uuid).toBe(uuid);
    await backend().settleDeliveries([ok(uuid, 1)]);
    await expectGone(backend(), uuid);
  });
}

function takingTurns(backend: Given): void {
  test("a pair is in one hand at a time: who has it sends the newer revision as well", async () => {
    const { uuid, list } = await delivered(backend(), {});
    await backend().push(list, [uuid]);
    const run = await claimOne(backend(), list);
    const [result] = await backend().settle([
      done(run, { change: change({ n: 2 }, 1), storages: ["archive"], required: ["archive"] }),
    ]);
    expect(result).toEqual({ kind: "ok", rev: 2, deliver: [] });
    const [outcome] = await backend().settleDeliveries([ok(uuid, 1)]);
    expect(outcome).toMatchObject({ kind: "again", document: { uuid, rev: 2 } });
    expect(outcome?.kind === "again" && contentOf(outcome.document.bytes)).toEqual({ n: 2 });
    expect(await due(backend(), uuid)).toEqual([]);
    expect(await backend().settleDeliveries([ok(uuid, 2)])).toEqual([{ kind: "settled" }]);
    expect(await backend().deliveries(uuid)).toMatchObject({ archive: { want: 2, done: 2 } });
  });

  test("a caller that died is replaced when its time is up, with the newest document", async () => {
    const { uuid } = await delivered(backend(), { deliveryLease: 1, dlq: "some_dlq" });
    await backend().submit([submission(uuid, { content: { newest: true } })]);
    const [task] = await untilDue(backend(), uuid);
    expect(task).toMatchObject({
      uuid,
      storage: "archive",
      action: "save",
      attempt: 0,
      dlq: "some_dlq",
      chain: "chain",
      document: { rev: 2 },
    });
    expect(contentOf(task?.document?.bytes)).toEqual({ newest: true });
    expect(await due(backend(), uuid)).toEqual([]);
    await backend().settleDeliveries([ok(uuid, 2)]);
  });

  test("due pairs asked for by many at once are handed out once each", async () => {
    const uuids: VconUuid[] = [];
    for (let n = 0; n < 12; n++) {
      const { uuid } = await delivered(backend(), { storages: ["archive", "search"] });
      uuids.push(uuid);
      await backend().settleDeliveries([
        again(uuid, { delay: 0 }),
        { ...again(uuid, { delay: 0 }), storage: "search" },
      ]);
    }
    const taken = (await Promise.all(Array.from({ length: 6 }, () => backend().claimDeliveries(10, 60_000)))).flat();
    const mine = taken.filter(({ uuid }) => uuids.includes(uuid)).map(({ uuid, storage }) => `${uuid} ${storage}`);
    expect(new Set(mine).size).toBe(mine.length);
    expect(mine.length).toBeGreaterThan(0);
    await backend().settleDeliveries(uuids.flatMap((uuid) => [ok(uuid, 1), ok(uuid, 1, "search")]));
  });

  test("no more than asked for", async () => {
    const { uuid } = await delivered(backend(), { storages: ["a", "b", "c"] });
    await backend().settleDeliveries(["a", "b", "c"].map((storage) => ({ ...again(uuid, { delay: 0 }), storage })));
    expect(await backend().claimDeliveries(0, 60_000)).toEqual([]);
    expect((await backend().claimDeliveries(2, 60_000)).length).toBeLessThanOrEqual(2);
    await backend().settleDeliveries(["a", "b", "c"].map((storage) => ok(uuid, 1, storage)));
  });
}

function retrying(backend: Given): void {
  test("again: due after its delay, with the attempt counted and the error kept", async () => {
    const { uuid } = await delivered(backend(), {});
    const before = (await backend().deliveries(uuid))["archive"]?.due ?? 0;
    await backend().settleDeliveries([again(uuid, { delay: 600_000 })]);
    const state = (await backend().deliveries(uuid))["archive"];
    expect(state).toMatchObject({ want: 1, attempt: 1 });
    expect(state?.error).toContain("no answer");
    expect(state?.due).toBeGreaterThan(before);
    expect(await due(backend(), uuid)).toEqual([]);
    await backend().settleDeliveries([ok(uuid, 1)]);
  });

  test("an attempt that does not count is not counted", async () => {
    const { uuid } = await delivered(backend(), {});
    await backend().settleDeliveries([again(uuid, { delay: 0 })]);
    const [first] = await untilDue(backend(), uuid);
    expect(first?.attempt).toBe(1);
    await backend().settleDeliveries([again(uuid, { delay: 0, counts: false })]);
    const [second] = await untilDue(backend(), uuid);
    expect(second?.attempt).toBe(1);
    expect(second?.since).toBe(first?.since);
    await backend().settleDeliveries([ok(uuid, 1)]);
    const { archive } = await backend().deliveries(uuid);
    expect([archive?.done, archive?.attempt, archive?.error]).toEqual([1, 0, undefined]);
  });

  test("one storage's trouble does not hold another back", async () => {
    const { uuid } = await delivered(backend(), { storages: ["archive", "search"] });
    await backend().settleDeliveries([again(uuid, { delay: 600_000 }), ok(uuid, 1, "search")]);
    expect(await backend().deliveries(uuid)).toMatchObject({ archive: { attempt: 1 }, search: { done: 1 } });
    await backend().settleDeliveries([ok(uuid, 1)]);
  });
}

function givingUp(backend: Given): void {
  async function dead(rest: DoneRest = {}) {
    const { uuid, run } = await delivered(backend(), rest);
    const dlq = freshList("dlq");
    const letter = record(run, { kind: "storage", storage: "archive", list: "", code: "VCON_STORAGE_GAVE_UP" });
    const report: DeliveryReport = {
      uuid,
      storage: "archive",
      action: "save",
      rev: 1,
      result: { kind: "dead", dlq, record: letter },
    };
    expect(await backend().settleDeliveries([report])).toEqual([{ kind: "settled" }]);
    return { uuid, dlq, letter, report };
  }

  test("a delivery that is given up becomes one dead letter and is not tried again", async () => {
    const { uuid, dlq, letter, report } = await dead();
    await backend().settleDeliveries([report]);
    expect(await backend().deadLetters({ dlq, offset: 0, limit: 5 })).toEqual([{ uuid, record: letter }]);
    expect(await due(backend(), uuid)).toEqual([]);
  });

  test.each(["after", "now"] as const)("its document does not expire (%s)", async (kind) => {
    const { uuid, dlq } = await dead({ expiry: { kind, ms: 1 } });
    await pass(backend(), 30);
    await backend().repair();
    expect((await backend().read([uuid]))[0]?.uuid).toBe(uuid);
    await backend().reprocess(dlq, 5, { fallback: freshList() });
    await untilDue(backend(), uuid);
    await backend().settleDeliveries([ok(uuid, 1)]);
    await expectGone(backend(), uuid);
  });

  test("put back, it is delivered without running a link again; then egress and expiry go on", async () => {
    const out = freshList("out");
    const { uuid, dlq } = await dead({ egress: [out], expiry: { kind: "after", ms: 1 } });
    const fallback = freshList();
    expect(await backend().reprocess(dlq, 5, { fallback })).toBe(1);
    expect(await backend().depths([dlq, fallback])).toEqual([0, 0]);
    const [task] = await untilDue(backend(), uuid);
    expect(task).toMatchObject({ storage: "archive", action: "save", attempt: 0, document: { rev: 1 } });
    expect(await backend().depths([out])).toEqual([0]);
    await backend().settleDeliveries([ok(uuid, 1)]);
    expect(await backend().pop(out, 5)).toEqual([uuid]);
    await expectGone(backend(), uuid);
  });
}

function deleting(backend: Given): void {
  const removed = (uuid: VconUuid): DeliveryReport => {
    return { uuid, storage: "archive", action: "delete", rev: 0, result: { kind: "done" } };
  };

  test("a deleted vCon is deleted from each storage", async () => {
    const { uuid } = await delivered(backend(), { expiry: { kind: "keep" } });
    await backend().settleDeliveries([ok(uuid, 1)]);
    expect(await backend().remove(uuid, ["archive"])).toBe(true);
    expect(await backend().deliveries(uuid)).toMatchObject({ archive: { want: "delete" } });
    const [task] = await untilDue(backend(), uuid);
    expect(task).toMatchObject({ storage: "archive", action: "delete" });
    expect(task?.document).toBeUndefined();
    expect(await backend().settleDeliveries([removed(uuid)])).toEqual([{ kind: "settled" }]);
    await pass(backend(), 20);
    expect(await due(backend(), uuid, 1)).toEqual([]);
  });

  test("a save under way when the vCon was deleted is followed by the delete", async () => {
    const out = freshList("out");
    const { uuid } = await delivered(backend(), { egress: [out] });
    await backend().remove(uuid, ["archive"]);
    expect(await backend().settleDeliveries([ok(uuid, 1)])).toEqual([{ kind: "settled" }]);
    const [task] = await untilDue(backend(), uuid);
    expect(task?.action).toBe("delete");
    await backend().settleDeliveries([removed(uuid)]);
    expect(await backend().depths([out])).toEqual([0]);
  });

  test("a delete that failed is tried again", async () => {
    const uuid = await submitOne(backend(), []);
    await backend().remove(uuid, ["archive"]);
    await untilDue(backend(), uuid);
    await backend().settleDeliveries([{ ...again(uuid, { delay: 0 }), action: "delete", rev: 0 }]);
    const [task] = await untilDue(backend(), uuid);
    expect(task).toMatchObject({ action: "delete", attempt: 1 });
    await backend().settleDeliveries([removed(uuid)]);
  });

  test("a vCon that comes back is saved after all", async () => {
    const { uuid, list } = await delivered(backend(), {});
    await backend().settleDeliveries([ok(uuid, 1)]);
    await backend().remove(uuid, ["archive"]);
    await untilDue(backend(), uuid);
    await backend().submit([submission(uuid, { content: { back: true }, lists: [list] })]);
    const run = await claimOne(backend(), list);
    expect(await backend().settle([done(run, { storages: ["archive"] })])).toMatchObject([{ kind: "ok", deliver: [] }]);
    const [outcome] = await backend().settleDeliveries([removed(uuid)]);
    expect(outcome?.kind === "again" && contentOf(outcome.document.bytes)).toEqual({ back: true });
    const rev = outcome?.kind === "again" ? Number(outcome.document.rev) : 0;
    expect(await backend().settleDeliveries([ok(uuid, rev)])).toEqual([{ kind: "settled" }]);
    expect(await backend().deliveries(uuid)).toMatchObject({ archive: { want: rev, done: rev } });
  });
}
