import type { VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import type { Backend, Checkpoint, Claim, DeadLetterRecord } from "../backend.ts";
import type { OpenBackend } from "./index.ts";
import { part } from "./part.ts";
import { bytesOf, claimFrom, claimOne, contentOf, done, freshList, plainIndex, record, submitOne } from "./samples.ts";

const checkpoint: Checkpoint = {
  config: "0123456789ab",
  index: 2,
  link: "webhook",
  attempt: 4,
  sendTo: ["a"],
  base: 1,
};

/** What was given up, why, and how it is tried again. */
export function deadLetters(open: OpenBackend): void {
  part("dead letters", open, ({ backend, second }) => {
    listing(backend);
    linkFailures(backend);
    storageFailures(backend);

    test("two that reprocess at once move each entry once", async () => {
      const list = freshList();
      const dlq = `${list}_dlq`;
      const uuids = await Promise.all(Array.from({ length: 30 }, () => bury(backend(), list, dlq)));
      const other = await second();
      const moved = await Promise.all([
        backend().reprocess(dlq, 20, { fallback: list }),
        other.reprocess(dlq, 20, { fallback: list }),
      ]);
      const rest = await backend().reprocess(dlq, 100, { fallback: list });
      expect(moved[0] + moved[1] + rest).toBe(30);
      expect((await backend().peek(list, 0, 100)).toSorted()).toEqual(uuids.toSorted());
      expect(await backend().depths([dlq])).toEqual([0]);
      await other.close();
    });

    test("many that reprocess at once move each entry once, and all of them", async () => {
      const list = freshList();
      const dlq = `${list}_dlq`;
      const uuids: string[] = [];
      for (let at = 0; at < 200; at++) uuids.push(await bury(backend(), list, dlq));
      const other = await second();
      const callers = Array.from({ length: 8 }, (_, at) => (at % 2 === 0 ? backend() : other));
      const moved = await Promise.all(callers.map((caller) => caller.reprocess(dlq, 1_000, { fallback: list })));
      expect(moved.reduce((sum, count) => sum + count, 0)).toBe(200);
      expect((await backend().peek(list, 0, 1_000)).toSorted()).toEqual(uuids.toSorted());
      expect(await backend().depths([dlq])).toEqual([0]);
      await other.close();
    });

    test("a deleted vCon leaves the dead letters with its record", async () => {
      const list = freshList();
      const dlq = `${list}_dlq`;
      const [deleted, kept] = [await bury(backend(), list, dlq), await bury(backend(), list, dlq)];
      await backend().remove(deleted as VconUuid, [], [dlq]);
      expect(await uuidsIn(backend(), dlq)).toEqual([kept]);
      expect(await backend().depths([dlq])).toEqual([1]);
    });
  });
}

/** A vCon that went through `list` and failed in a link. */
async function bury(backend: Backend, list: string, dlq: string, given?: Partial<DeadLetterRecord>): Promise<string> {
  const own = freshList("own");
  const uuid = await submitOne(backend, [own]);
  const lease = await claimOne(backend, own);
  await backend.settle([{ kind: "dead", lease, dlq, record: record(lease, { list, ...given }) }]);
  return uuid;
}

const uuidsIn = async (backend: Backend, dlq: string, list?: string): Promise<string[]> => {
  const query = { dlq, offset: 0, limit: 50, ...(list === undefined ? {} : { list }) };
  return (await backend.deadLetters(query)).map((letter) => letter.uuid);
};

function listing(backend: () => Backend): void {
  test("a dead run is listed with its record, is in the list as a bare uuid and leaves its ingress list", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    const uuid = await submitOne(backend(), [list]);
    const lease = await claimOne(backend(), list);
    const why = record(lease, { retry_from: "webhook", link: "webhook" });
    expect(await backend().settle([{ kind: "dead", lease, dlq, record: why }])).toMatchObject([{ kind: "ok" }]);
    expect(await backend().deadLetters({ dlq, offset: 0, limit: 10 })).toEqual([{ uuid, record: why }]);
    expect(await backend().peek(dlq, 0, 10)).toEqual([uuid]);
    expect(await backend().depths([list, dlq])).toEqual([0, 1]);
    expect((await claimFrom(backend(), list)).runs).toEqual([]);
  });

  test("entries are listed oldest first, with offset and limit", async () => {
    const dlq = freshList("dlq");
    const uuids: string[] = [];
    for (let n = 0; n < 5; n++) uuids.push(await bury(backend(), "calls", dlq));
    expect(await uuidsIn(backend(), dlq)).toEqual(uuids);
    const page = await backend().deadLetters({ dlq, offset: 1, limit: 2 });
    expect(page.map((letter) => letter.uuid)).toEqual(uuids.slice(1, 3));
  });

  test("an entry somebody else pushed has no record and counts for every ingress list", async () => {
    const dlq = freshList("dlq");
    const calls = await bury(backend(), "calls", dlq);
    const mails = await bury(backend(), "mails", dlq);
    await backend().push(dlq, ["pushed by hand"]);
    const found = await backend().deadLetters({ dlq, offset: 0, limit: 10 });
    expect(found.at(-1)?.uuid).toBe("pushed by hand");
    expect(found.at(-1)?.record).toBeUndefined();
    expect(await uuidsIn(backend(), dlq, "calls")).toEqual([calls, "pushed by hand"]);
    expect(await uuidsIn(backend(), dlq, "mails")).toEqual([mails, "pushed by hand"]);
  });

  test("an unknown dead-letter list is empty", async () => {
    expect(await backend().deadLetters({ dlq: freshList(), offset: 0, limit: 10 })).toEqual([]);
    expect(await backend().reprocess(freshList(), 10, { fallback: freshList() })).toBe(0);
  });
}

function linkFailures(backend: () => Backend): void {
  test("giving up keeps what the earlier links made", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const lease = await claimOne(backend(), list);
    const change = { base: 1, bytes: bytesOf({ tagged: true }), index: plainIndex };
    const dlq = `${list}_dlq`;
    expect(await backend().settle([{ kind: "dead", lease, dlq, record: record(lease), change }])).toMatchObject([
      { kind: "ok", rev: 2 },
    ]);
    expect(contentOf((await backend().read([uuid]))[0]?.bytes)).toEqual({ tagged: true });
  });

  test("reprocess() moves back to the ingress list, oldest first, as many as asked", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    const uuids: string[] = [];
    for (let n = 0; n < 3; n++) uuids.push(await bury(backend(), list, dlq));
    expect(await backend().reprocess(dlq, 2, { fallback: freshList() })).toBe(2);
    expect(await backend().peek(list, 0, 10)).toEqual(uuids.slice(0, 2));
    expect(await uuidsIn(backend(), dlq)).toEqual(uuids.slice(2));
  });

  test("a retry starts at the failing link, from the checkpoint, with its patience back", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    await submitOne(backend(), [list]);
    const lease = await claimOne(backend(), list);
    await backend().settle([{ kind: "dead", lease, dlq, record: record(lease), checkpoint }]);
    expect(await backend().reprocess(dlq, 10, { fallback: list })).toBe(1);
    const again: Claim = await claimOne(backend(), list);
    expect(again.checkpoint).toEqual(checkpoint);
    expect(again.attempt).toBe(0);
    expect(again.deaths).toBe(0);
  });

  test("the checkpoint ends with the run that used it", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    const uuid = await submitOne(backend(), [list]);
    const lease = await claimOne(backend(), list);
    await backend().settle([{ kind: "dead", lease, dlq, record: record(lease), checkpoint }]);
    await backend().reprocess(dlq, 10, { fallback: list });
    await backend().settle([done(await claimOne(backend(), list))]);
    await backend().push(list, [uuid]);
    expect((await claimOne(backend(), list)).checkpoint).toBeUndefined();
  });

  test("reprocess() of one ingress list leaves the others, and takes entries without a record to the fallback", async () => {
    const dlq = freshList("dlq");
    const calls = freshList("calls");
    const mails = freshList("mails");
    const call = await bury(backend(), calls, dlq);
    const mail = await bury(backend(), mails, dlq);
    await backend().push(dlq, ["pushed by hand"]);
    expect(await backend().reprocess(dlq, 10, { list: calls, fallback: calls })).toBe(2);
    expect(await backend().peek(calls, 0, 10)).toEqual([call, "pushed by hand"]);
    expect(await uuidsIn(backend(), dlq)).toEqual([mail]);
  });

  test("one vCon may be dead in two chains", async () => {
    const dlq = freshList("dlq");
    const [one, two] = [freshList("one"), freshList("two")];
    const uuid = await submitOne(backend(), [one, two]);
    for (const list of [one, two]) {
      const lease = await claimOne(backend(), list);
      await backend().settle([{ kind: "dead", lease, dlq, record: record(lease) }]);
    }
    expect(await uuidsIn(backend(), dlq)).toEqual([uuid, uuid]);
    expect(await backend().reprocess(dlq, 10, { fallback: one })).toBe(2);
    expect(await backend().depths([one, two])).toEqual([1, 1]);
  });

  test("taking an entry from the list by hand forgets its record", async () => {
    const dlq = freshList("dlq");
    const uuid = await bury(backend(), "calls", dlq);
    expect(await backend().pop(dlq, 1)).toEqual([uuid]);
    expect(await backend().deadLetters({ dlq, offset: 0, limit: 10 })).toEqual([]);
  });
}

function storageFailures(backend: () => Backend): void {
  async function giveUp(dlq: string): Promise<{ uuid: Claim["uuid"]; list: string; egress: string }> {
    const list = freshList();
    const egress = freshList("egress");
    const uuid = await submitOne(backend(), [list]);
    const lease = await claimOne(backend(), list);
    const ending = done(lease, { storages: ["archive"], required: ["archive"], egress: [egress], dlq });
    expect(await backend().settle([ending])).toMatchObject([{ kind: "ok", deliver: ["archive"] }]);
    await reportDead(lease, dlq);
    return { uuid, list, egress };
  }

  async function reportDead(lease: Claim, dlq: string): Promise<void> {
    const why = record(lease, { kind: "storage", list: "", storage: "archive", code: "VCON_STORAGE_GAVE_UP" });
    const result = { kind: "dead", dlq, record: why } as const;
    await backend().settleDeliveries([{ uuid: lease.uuid, storage: "archive", action: "save", rev: 1, result }]);
    // a report may arrive twice: its answer was lost
    await backend().settleDeliveries([{ uuid: lease.uuid, storage: "archive", action: "save", rev: 1, result }]);
  }

  test("a delivery that is given up is one dead letter that names the storage", async () => {
    const dlq = freshList("dlq");
    const { uuid } = await giveUp(dlq);
    const found = await backend().deadLetters({ dlq, offset: 0, limit: 10 });
    expect(found).toMatchObject([{ uuid, record: { kind: "storage", storage: "archive" } }]);
  });

  test("reprocess() of it delivers again without running a link, and egress follows", async () => {
    const dlq = freshList("dlq");
    const { uuid, list, egress } = await giveUp(dlq);
    expect(await backend().reprocess(dlq, 10, { fallback: list })).toBe(1);
    expect(await backend().depths([dlq, list])).toEqual([0, 0]);
    const tasks = (await backend().claimDeliveries(50, 30_000)).filter((task) => task.uuid === uuid);
    expect(tasks).toMatchObject([{ storage: "archive", action: "save", attempt: 0, document: { uuid, rev: 1 } }]);
    const result = { kind: "done" } as const;
    await backend().settleDeliveries([{ uuid, storage: "archive", action: "save", rev: 1, result }]);
    expect(await backend().peek(egress, 0, 5)).toEqual([uuid]);
    expect(await backend().deliveries(uuid)).toMatchObject({ archive: { done: 1 } });
  });

  test("it belongs to no ingress list: whichever is asked for, it is listed and delivered again", async () => {
    const dlq = freshList("dlq");
    const { uuid, list } = await giveUp(dlq);
    expect(await backend().deadLetters({ dlq, list, offset: 0, limit: 10 })).toMatchObject([{ uuid }]);
    expect(await backend().reprocess(dlq, 10, { list, fallback: list })).toBe(1);
    expect(await backend().depths([dlq, list])).toEqual([0, 0]);
    expect(await backend().deliveries(uuid)).toMatchObject({ archive: { attempt: 0 } });
  });
}
