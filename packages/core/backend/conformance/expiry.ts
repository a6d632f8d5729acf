import type { VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import type { Backend, Expiry } from "../backend.ts";
import type { OpenBackend } from "./index.ts";
import { part } from "./part.ts";
import {
  bytesOf,
  claimFrom,
  claimOne,
  contentOf,
  done,
  freshList,
  freshUuid,
  plainIndex,
  record,
  submission,
  submitOne,
} from "./samples.ts";

/** When a working copy may go, and what keeps it. */
export function expiry(open: OpenBackend): void {
  part("expiry", open, ({ backend }) => expiring(backend));
}

const never = new AbortController().signal;
/** Lets real time pass on the backend's own clock. */
const pass = (backend: Backend, ms: number) => backend.waitForWork([freshList()], ms, never);

function expiring(backend: () => Backend): void {
  const SOON: Expiry = { kind: "after", ms: 1 };

  async function expectGone(uuid: VconUuid): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const [found] = await backend().read([uuid]);
      if (!found) return;
      await pass(backend(), 20);
    }
    throw new Error(`${uuid} did not expire`);
  }

  async function expectStays(uuid: VconUuid): Promise<void> {
    await pass(backend(), 40);
    await backend().repair();
    expect((await backend().read([uuid]))[0]?.uuid).toBe(uuid);
  }

  async function finished(expiry: Expiry, rest: { readonly lists?: readonly string[] } = {}) {
    const list = freshList();
    const uuid = await submitOne(backend(), [list, ...(rest.lists ?? [])]);
    await backend().settle([done(await claimOne(backend(), list), { expiry })]);
    return { list, uuid };
  }

  test("keep: it stays", async () => {
    const { uuid } = await finished({ kind: "keep" });
    await expectStays(uuid);
  });

  test("after: it goes, from the index too", async () => {
    const { uuid } = await finished(SOON);
    await expectGone(uuid);
    expect(await backend().list({ offset: 0, limit: 1_000 })).not.toContain(uuid);
  });

  test("nothing expires before its first run has ended", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    await expectStays(uuid);
    await claimOne(backend(), list);
    await expectStays(uuid);
  });

  test("after: it stays while it waits in a list that workers take from, and goes after that run", async () => {
    const second = freshList();
    await claimFrom(backend(), second);
    const { uuid } = await finished(SOON, { lists: [second] });
    await expectStays(uuid);
    const run = await claimOne(backend(), second);
    await expectStays(uuid);
    await backend().settle([done(run, { expiry: SOON })]);
    await expectGone(uuid);
  });

  test("after: it stays while it waits where a halted run sent it, until it is taken", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    await backend().settle([{ kind: "halted", lease: run, sendTo: [`${list}_to`], expiry: SOON }]);
    await expectStays(uuid);
    expect(await backend().pop(`${list}_to`, 5)).toEqual([uuid]);
    await expectGone(uuid);
  });

  test("after: it stays while a retry of another chain is due later", async () => {
    const second = freshList();
    const list = freshList();
    const uuid = await submitOne(backend(), [list, second]);
    const retried = await claimOne(backend(), second);
    await backend().settle([{ kind: "later", lease: retried, delay: 0, attempt: 1 }]);
    await backend().settle([done(await claimOne(backend(), list), { expiry: SOON })]);
    await expectStays(uuid);
    await backend().settle([done(await claimOne(backend(), second), { expiry: SOON })]);
    await expectGone(uuid);
  });

  test("after: it stays while a dead letter of it exists, and goes when that was made good", async () => {
    const [list, failing] = [freshList(), freshList()];
    const uuid = await submitOne(backend(), [list, failing]);
    const run = await claimOne(backend(), failing, { chain: "failing" });
    await backend().settle([{ kind: "dead", lease: run, dlq: `${failing}_dlq`, record: record(run) }]);
    await backend().settle([done(await claimOne(backend(), list), { expiry: SOON })]);
    await expectStays(uuid);
    await backend().reprocess(`${failing}_dlq`, 1, { fallback: failing });
    await backend().settle([done(await claimOne(backend(), failing, { chain: "failing" }), { expiry: SOON })]);
    await expectGone(uuid);
  });

  test("a vCon that is queued again does not expire", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    await backend().settle([done(await claimOne(backend(), list), { expiry: { kind: "after", ms: 400 } })]);
    await backend().push(list, [uuid]);
    await pass(backend(), 500);
    expect((await claimOne(backend(), list)).document?.uuid).toBe(uuid);
  });

  test("new content starts without an expiry", async () => {
    const { uuid } = await finished({ kind: "after", ms: 300 });
    await backend().submit([submission(uuid, { content: { fresh: true } })]);
    await pass(backend(), 400);
    expect(contentOf((await backend().read([uuid]))[0]?.bytes)).toEqual({ fresh: true });
  });

  test("now: it goes although it waits in a list", async () => {
    const second = freshList();
    await claimFrom(backend(), second);
    const { uuid } = await finished({ kind: "now", ms: 1 }, { lists: [second] });
    await expectGone(uuid);
    const run = await claimOne(backend(), second);
    expect([run.uuid, run.document]).toEqual([uuid, undefined]);
  });

  test("now: it stays while a dead letter of it exists, and goes when that was made good", async () => {
    const [list, failing] = [freshList(), freshList()];
    const uuid = await submitOne(backend(), [list, failing]);
    const run = await claimOne(backend(), failing, { chain: "failing" });
    await backend().settle([{ kind: "dead", lease: run, dlq: `${failing}_dlq`, record: record(run) }]);
    await backend().settle([done(await claimOne(backend(), list), { expiry: { kind: "now", ms: 1 } })]);
    await expectStays(uuid);
    await backend().reprocess(`${failing}_dlq`, 1, { fallback: failing });
    const retried = await claimOne(backend(), failing, { chain: "failing" });
    expect(retried.document?.uuid).toBe(uuid);
    await backend().settle([done(retried, { expiry: { kind: "keep" } })]);
    await expectGone(uuid);
  });

  test("now: it stays while another run has it", async () => {
    const second = freshList();
    await claimFrom(backend(), second);
    const list = freshList();
    const uuid = await submitOne(backend(), [list, second]);
    const other = await claimOne(backend(), second);
    await backend().settle([done(await claimOne(backend(), list), { expiry: { kind: "now", ms: 1 } })]);
    await expectStays(uuid);
    await backend().settle([done(other, { expiry: { kind: "keep" } })]);
    await expectGone(uuid);
  });

  test("a restored copy goes after its time", async () => {
    const uuid = freshUuid();
    await backend().restore({ uuid, bytes: bytesOf({}), index: plainIndex, ttl: 1 });
    await expectGone(uuid);
  });
}
