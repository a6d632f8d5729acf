import type { VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import type { Backend, IndexTerm } from "../backend.ts";
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
  submission,
  submitOne,
} from "./samples.ts";

/** Taking in, reading, finding, restoring and deleting documents. */
export function documents(open: OpenBackend): void {
  part("documents", open, (given) => {
    reading(given);
    submitting(given);
    preconditions(given);
    submitters(given);
    finding(given);
    restoring(given);
    removing(given);
  });
}

const scanned = async (backend: Backend): Promise<Set<VconUuid>> => {
  const all = new Set<VconUuid>();
  for await (const batch of backend.scan()) for (const uuid of batch) all.add(uuid);
  return all;
};

function reading({ backend, second }: Given): void {
  test("read() answers in the order asked for, with undefined for what is not there", async () => {
    const one = await submitOne(backend(), [], { content: { n: 1 } });
    const two = await submitOne(backend(), [], { content: { n: 2 } });
    const found = await backend().read([two, freshUuid(), one]);
    expect(found.map((document) => contentOf(document?.bytes))).toEqual([{ n: 2 }, undefined, { n: 1 }]);
    expect(found.map((document) => document?.uuid)).toEqual([two, undefined, one]);
  });

  test("sizes() tells bytes in the order asked for, undefined for what is not there", async () => {
    const large = await submitOne(backend(), [], { bytes: new Uint8Array(70_000).fill(32) });
    const small = await submitOne(backend(), [], { content: { ü: 1 } });
    const deleted = await submitOne(backend(), []);
    await backend().remove(deleted, []);
    expect(await backend().sizes([small, freshUuid(), deleted, large])).toEqual([8, undefined, undefined, 70_000]);
  });

  test("read() of nothing is nothing", async () => {
    expect(await backend().read([])).toEqual([]);
  });

  test("bytes come back as they were given, whatever they are", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, n) => (n * 7) % 256);
    const uuid = await submitOne(backend(), [], { bytes });
    const [found] = await backend().read([uuid]);
    expect(Buffer.from(found?.bytes ?? []).equals(bytes)).toBe(true);
  });

  test("another client of the same store reads what this one wrote", async () => {
    const uuid = await submitOne(backend(), []);
    const other = await second();
    expect((await other.read([uuid]))[0]?.uuid).toBe(uuid);
    await other.close();
  });

  test("scan() finds every working copy once and no deleted one", async () => {
    const uuids = await Promise.all(Array.from({ length: 40 }, () => submitOne(backend(), [])));
    const deleted = await submitOne(backend(), []);
    await backend().remove(deleted, []);
    const all = await scanned(backend());
    expect(uuids.every((uuid) => all.has(uuid))).toBe(true);
    expect(all.has(deleted)).toBe(false);
  });
}

function submitting({ backend }: Given): void {
  test("a new vCon is created with revision 1, stored and queued", async () => {
    const list = freshList();
    const uuid = freshUuid();
    const [result] = await backend().submit([submission(uuid, { lists: [list], content: { uuid } })]);
    expect(result).toEqual({ kind: "created", rev: 1, queued: 1 });
    const [found] = await backend().read([uuid]);
    expect(found).toMatchObject({ uuid, rev: 1 });
    expect(found?.submitted).toMatch(/^[0-9a-f]{64}$/);
    expect(await backend().peek(list, 0, 10)).toEqual([uuid]);
  });

  test("the same content again is the same: nothing is stored and nothing queued", async () => {
    const list = freshList();
    const again = submission(freshUuid(), { lists: [list] });
    await backend().submit([again]);
    expect(await backend().submit([again])).toEqual([{ kind: "same", rev: 1, queued: 0 }]);
    expect(await backend().depths([list])).toEqual([1]);
  });

  test("the same content for another list is queued there, once, and still not stored", async () => {
    const [first, second] = [freshList(), freshList()];
    const original = submission(freshUuid(), { lists: [first] });
    await backend().submit([original]);
    const elsewhere = { ...original, lists: [first, second] };
    expect(await backend().submit([elsewhere])).toEqual([{ kind: "same", rev: 1, queued: 1 }]);
    expect(await backend().submit([elsewhere])).toEqual([{ kind: "same", rev: 1, queued: 0 }]);
    expect(await backend().depths([first, second])).toEqual([1, 1]);
    const other = submission(original.uuid, { lists: [first], content: { uuid: original.uuid, subject: "other" } });
    await backend().submit([other]);
    expect(await backend().depths([first, second])).toEqual([2, 1]);
    expect(await backend().submit([original])).toEqual([{ kind: "replaced", rev: 3, queued: 1 }]);
  });

  test("with requeue the same content is queued again, and still not stored", async () => {
    const list = freshList();
    const again = submission(freshUuid(), { lists: [list] });
    await backend().submit([again]);
    expect(await backend().submit([{ ...again, requeue: true }])).toEqual([{ kind: "same", rev: 1, queued: 1 }]);
    expect(await backend().depths([list])).toEqual([2]);
  });

  test("the same content is compared with what was submitted, not with what links made of it", async () => {
    const list = freshList();
    const original = submission(freshUuid(), { lists: [list] });
    await backend().submit([original]);
    const run = await claimOne(backend(), list);
    const change = { base: 1, bytes: bytesOf({ tagged: true }), index: original.index };
    await backend().settle([done(run, { change })]);
    expect(await backend().submit([original])).toEqual([{ kind: "same", rev: 2, queued: 0 }]);
    expect(contentOf((await backend().read([original.uuid]))[0]?.bytes)).toEqual({ tagged: true });
  });

  test("other content replaces, counts the revision up and is queued", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list], { content: { n: 1 } });
    const result = await backend().submit([submission(uuid, { lists: [list], content: { n: 2 } })]);
    expect(result).toEqual([{ kind: "replaced", rev: 2, queued: 1 }]);
    expect(contentOf((await backend().read([uuid]))[0]?.bytes)).toEqual({ n: 2 });
    expect(await backend().depths([list])).toEqual([2]);
  });

  test("a batch is answered item by item, in order, and queued in order", async () => {
    const list = freshList();
    const uuids = Array.from({ length: 20 }, () => freshUuid());
    const results = await backend().submit(uuids.map((uuid) => submission(uuid, { lists: [list] })));
    expect(results.every((result) => result.kind === "created")).toBe(true);
    expect(await backend().peek(list, 0, 100)).toEqual(uuids);
  });

  test("several lists each get the uuid", async () => {
    const lists = [freshList(), freshList(), freshList()];
    const uuid = await submitOne(backend(), lists);
    for (const list of lists) expect(await backend().peek(list, 0, 5)).toEqual([uuid]);
  });

  test("the same new vCon submitted at once by many is created once", async () => {
    const list = freshList();
    const one = submission(freshUuid(), { lists: [list] });
    const results = await Promise.all(Array.from({ length: 10 }, () => backend().submit([one])));
    const kinds = results.flat().map((result) => result.kind);
    expect(kinds.filter((kind) => kind === "created")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "same")).toHaveLength(9);
    expect(await backend().depths([list])).toEqual([1]);
  });
}

function preconditions({ backend }: Given): void {
  test("absent: refused where there is a working copy, with its revision; nothing is queued", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), []);
    const other = submission(uuid, { lists: [list], content: { other: 1 }, precondition: { absent: true } });
    expect(await backend().submit([other])).toEqual([{ kind: "refused", rev: 1 }]);
    expect(await backend().depths([list])).toEqual([0]);
  });

  test("absent: stored where there is none, also after a deletion", async () => {
    const uuid = freshUuid();
    const fresh = submission(uuid, { precondition: { absent: true } });
    expect((await backend().submit([fresh]))[0]?.kind).toBe("created");
    await backend().remove(uuid, []);
    expect((await backend().submit([fresh]))[0]?.kind).toBe("created");
  });

  test("match: stored under one of the revisions, refused under others and where there is nothing", async () => {
    const uuid = await submitOne(backend(), [], { content: { n: 1 } });
    const change = (n: number, match: readonly number[]) =>
      backend().submit([submission(uuid, { content: { n }, precondition: { match } })]);
    expect(await change(2, [1, 7])).toEqual([{ kind: "replaced", rev: 2, queued: 0 }]);
    expect(await change(3, [1])).toEqual([{ kind: "refused", rev: 2 }]);
    const missing = submission(freshUuid(), { precondition: { match: [1] } });
    const [refused] = await backend().submit([missing]);
    expect(refused?.kind).toBe("refused");
    expect(refused?.rev).toBeUndefined();
  });

  test("of two writers with the same If-Match one wins", async () => {
    const uuid = await submitOne(backend(), [], { content: { n: 0 } });
    const results = await Promise.all(
      [1, 2, 3].map((n) => backend().submit([submission(uuid, { content: { n }, precondition: { match: [1] } })])),
    );
    const kinds = results.flat().map((result) => result.kind);
    expect(kinds.toSorted()).toEqual(["refused", "refused", "replaced"]);
  });
}

function submitters({ backend }: Given): void {
  const kept = 3_600_000;

  test("who submitted a vCon is known, in the order asked for; without a word about it, nothing is", async () => {
    const [ours, theirs] = [
      { id: "ours", kept },
      { id: "theirs", kept },
    ];
    const one = await submitOne(backend(), [], { submitter: ours });
    const two = await submitOne(backend(), [], { submitter: theirs });
    const silent = await submitOne(backend(), []);
    const found = await backend().submitters([two, silent, freshUuid(), one]);
    expect(found).toEqual(["theirs", undefined, undefined, "ours"]);
  });

  test("new content changes hands, the same content does not", async () => {
    const first = submission(freshUuid(), { content: { n: 1 }, submitter: { id: "ours", kept } });
    await backend().submit([first]);
    await backend().submit([{ ...first, submitter: { id: "theirs", kept } }]);
    expect(await backend().submitters([first.uuid])).toEqual(["ours"]);
    await submitOne(backend(), [], { uuid: first.uuid, content: { n: 2 }, submitter: { id: "theirs", kept } });
    expect(await backend().submitters([first.uuid])).toEqual(["theirs"]);
  });

  test("it is known after the working copy has expired, for as long as was asked, and not after a deletion", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list], { submitter: { id: "ours", kept } });
    await backend().settle([done(await claimOne(backend(), list), { expiry: { kind: "now", ms: 1 } })]);
    await expect.poll(async () => (await backend().read([uuid]))[0]).toBeUndefined();
    await backend().repair();
    expect(await backend().submitters([uuid])).toEqual(["ours"]);
    await backend().remove(uuid, []);
    expect(await backend().submitters([uuid])).toEqual([undefined]);
    const brief = await submitOne(backend(), [], { submitter: { id: "ours", kept: 1 } });
    await expect.poll(async () => (await backend().submitters([brief]))[0]).toBeUndefined();
  });
}

function finding({ backend }: Given): void {
  test("list() is newest first, within inclusive bounds, with offset and limit", async () => {
    const start = 4_000_000_000;
    const uuids = await Promise.all(
      [0, 10, 20, 30].map((at) => submitOne(backend(), [], { index: { createdAt: start + at, terms: [] } })),
    );
    const newestFirst = uuids.toReversed();
    const since = start;
    expect(await backend().list({ since, until: start + 30, offset: 0, limit: 10 })).toEqual(newestFirst);
    expect(await backend().list({ since: start + 10, until: start + 20, offset: 0, limit: 10 })).toEqual(
      newestFirst.slice(1, 3),
    );
    expect(await backend().list({ since, until: start + 30, offset: 1, limit: 2 })).toEqual(newestFirst.slice(1, 3));
    expect(await backend().list({ since, until: start + 30, offset: 10, limit: 2 })).toEqual([]);
  });

  test("list() without bounds contains what was stored", async () => {
    const uuid = await submitOne(backend(), [], { index: { createdAt: 9_000_000_000, terms: [] } });
    expect(await backend().list({ offset: 0, limit: 1 })).toEqual([uuid]);
  });

  test("search() is a true AND", async () => {
    const tag = freshList("t");
    const tel: IndexTerm = `tel:+1555${tag}`;
    const mail: IndexTerm = `mailto:${tag}@example.com`;
    const both = await submitOne(backend(), [], { index: { createdAt: 1, terms: [tel, mail] } });
    const only = await submitOne(backend(), [], { index: { createdAt: 1, terms: [tel] } });
    expect(new Set(await backend().search([tel]))).toEqual(new Set([both, only]));
    expect(await backend().search([tel, mail])).toEqual([both]);
    expect(await backend().search([mail, tel])).toEqual([both]);
    expect(await backend().search([tel, `name:${tag}`])).toEqual([]);
    expect(await backend().search([`name:${tag}`])).toEqual([]);
    expect(await backend().search([])).toEqual([]);
  });

  test("terms may hold spaces, colons, quotes and any script", async () => {
    const term: IndexTerm = `name:O'Neil "Ö": 王小明 ${freshList()}`;
    const uuid = await submitOne(backend(), [], { index: { createdAt: 1, terms: [term, term] } });
    expect(await backend().search([term, term])).toEqual([uuid]);
  });

  test("a replaced vCon is found under its new terms and date only", async () => {
    const tag = freshList("t");
    const start = 5_000_000_000;
    const uuid = await submitOne(backend(), [], { index: { createdAt: start, terms: [`name:old ${tag}`] } });
    const index = { createdAt: start + 100, terms: [`name:new ${tag}`] as const };
    await backend().submit([submission(uuid, { content: { n: 2 }, index })]);
    expect(await backend().search([`name:old ${tag}`])).toEqual([]);
    expect(await backend().search([`name:new ${tag}`])).toEqual([uuid]);
    expect(await backend().list({ since: start, until: start, offset: 0, limit: 5 })).toEqual([]);
    expect(await backend().list({ since: start + 100, until: start + 100, offset: 0, limit: 5 })).toEqual([uuid]);
  });

  test("reindex() rewrites the entries of a document and ignores what is not there", async () => {
    const tag = freshList("t");
    const uuid = await submitOne(backend(), [], { index: { createdAt: 1, terms: [`name:old ${tag}`] } });
    const index = { createdAt: 6_000_000_000, terms: [`name:new ${tag}`] as const };
    await backend().reindex([
      { uuid, index },
      { uuid: freshUuid(), index: { createdAt: 1, terms: [`name:none ${tag}`] } },
    ]);
    expect(await backend().search([`name:old ${tag}`])).toEqual([]);
    expect(await backend().search([`name:new ${tag}`])).toEqual([uuid]);
    expect(await backend().list({ since: 6_000_000_000, until: 6_000_000_000, offset: 0, limit: 5 })).toEqual([uuid]);
    expect(await backend().search([`name:none ${tag}`])).toEqual([]);
  });
}

function restoring({ backend }: Given): void {
  const restored = (uuid: VconUuid, content: unknown, tag: string) => ({
    uuid,
    bytes: bytesOf(content),
    index: { createdAt: 1, terms: [`name:${tag}`] as const },
    ttl: 60_000,
  });

  test("restore() puts back what is absent, with its index entries", async () => {
    const uuid = freshUuid();
    const tag = freshList("t");
    await backend().restore(restored(uuid, { from: "storage" }, tag));
    expect(contentOf((await backend().read([uuid]))[0]?.bytes)).toEqual({ from: "storage" });
    expect(await backend().search([`name:${tag}`])).toEqual([uuid]);
  });

  test("restore() never overwrites", async () => {
    const uuid = await submitOne(backend(), [], { content: { from: "here" } });
    await backend().restore(restored(uuid, { from: "storage" }, freshList("t")));
    expect(await backend().read([uuid])).toMatchObject([{ rev: 1 }]);
    expect(contentOf((await backend().read([uuid]))[0]?.bytes)).toEqual({ from: "here" });
  });

  test("restore() does not bring back what was deleted", async () => {
    const uuid = await submitOne(backend(), []);
    await backend().remove(uuid, []);
    await backend().restore(restored(uuid, { from: "storage" }, freshList("t")));
    expect(await backend().read([uuid])).toEqual([undefined]);
  });
}

function removing({ backend }: Given): void {
  test("remove() takes document, index entries and queue entries away", async () => {
    const list = freshList();
    const tag = freshList("t");
    const createdAt = 7_000_000_000;
    const uuid = await submitOne(backend(), [list], { index: { createdAt, terms: [`name:${tag}`] } });
    expect(await backend().remove(uuid, [])).toBe(true);
    expect(await backend().read([uuid])).toEqual([undefined]);
    expect(await backend().search([`name:${tag}`])).toEqual([]);
    expect(await backend().list({ since: createdAt, until: createdAt, offset: 0, limit: 5 })).toEqual([]);
    expect((await claimFrom(backend(), list)).runs).toEqual([]);
    expect(await backend().depths([list])).toEqual([0]);
  });

  test("remove() of what was never there is false, and each storage gets a delete all the same", async () => {
    const uuid = freshUuid();
    expect(await backend().remove(uuid, ["archive"])).toBe(false);
    expect(await backend().deliveries(uuid)).toMatchObject({ archive: { want: "delete", attempt: 0 } });
  });

  test("a commit based on what was deleted is refused, and the lease is over", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    const run = await claimOne(backend(), list);
    await backend().remove(uuid, []);
    const change = { base: 1, bytes: bytesOf({ late: true }), index: { createdAt: 1, terms: [] } };
    expect(await backend().settle([done(run, { change })])).toEqual([{ kind: "gone" }]);
    expect(await backend().read([uuid])).toEqual([undefined]);
    expect((await claimFrom(backend(), list)).runs).toEqual([]);
  });

  test("what is submitted after a deletion is new, under a later revision, and is processed", async () => {
    const list = freshList();
    const uuid = await submitOne(backend(), [list]);
    await backend().remove(uuid, []);
    const [result] = await backend().submit([submission(uuid, { lists: [list] })]);
    expect(result?.kind).toBe("created");
    expect(result?.rev).toBeGreaterThan(1);
    const { runs } = await claimFrom(backend(), list);
    expect(runs.at(-1)?.document).toMatchObject({ uuid, rev: result?.rev });
  });
}
