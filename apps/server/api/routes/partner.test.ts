import { VconError } from "@vcon-server/core";
import { sampleVcon } from "@vcon-server/core/testing";
import type { Vcon } from "@vcon-server/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { json, startGateway, type TestGateway } from "../testing/gateway.ts";
import { work } from "../testing/work.ts";

const ingressAuth = new Map([
  ["calls", ["key-a", "key-b"]],
  ["mails", ["key-a"]],
]);

const createPartner = (gateway: () => TestGateway) => (key: "key-a" | "key-b", list: string, vcon: unknown) =>
  gateway().send("POST", `/vcon/external-ingress?ingress_list=${list}`, vcon, { "x-conserver-api-token": key });

const read = async (gateway: TestGateway, { uuid }: Vcon) => json(await gateway.call(`/vcon/${uuid}`));

describe.each(BACKENDS)("vCons of partners (%s)", (kind) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ kind, plan: { ingressAuth } });
  });
  afterAll(() => gateway.close());
  const submit = createPartner(() => gateway);
  const depth = async (list: string) => (await gateway.backend.depths([list]))[0] ?? 0;

  test.each(["calls,mails", "calls&ingress_list=mails"])("one list can be named, not %s", async (lists) => {
    const refused = await submit("key-a", lists, sampleVcon());
    expect(refused.status).toBe(422);
    expect(JSON.stringify(await json(refused))).toContain("Only one list can be named; send a request for each");
  });

  test("one that is repeated at once by many is queued once, and later again not", async () => {
    const vcon = sampleVcon();
    const before = await depth("calls");
    const answers = await Promise.all([1, 2, 3, 4].map(() => submit("key-a", "calls", vcon)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    expect((await submit("key-a", "calls", vcon)).headers.get("x-vcon-queued")).toBe("0");
    expect(await depth("calls")).toBe(before + 1);
  });

  test("the same content for a second list is queued there, once, also after links worked on it", async () => {
    const vcon = sampleVcon();
    await submit("key-a", "mails", vcon);
    while ((await gateway.backend.peek("mails", 0, 1)).length > 0)
      await work(gateway.backend, "mails", (sent) => ({ ...sent, subject: "made by a link" }));
    const before = await depth("calls");
    const second = await submit("key-a", "calls", vcon);
    expect([second.status, second.headers.get("x-vcon-queued")]).toEqual([204, "1"]);
    await submit("key-a", "calls", vcon);
    expect([await depth("calls"), await depth("mails")]).toEqual([before + 1, 0]);
    expect(await read(gateway, vcon)).toHaveProperty("subject", "made by a link");
  });

  test("content that the operator stored before is queued, and stays the operator's", async () => {
    const vcon = sampleVcon();
    await gateway.send("POST", "/vcon", vcon);
    const before = await depth("calls");
    expect((await submit("key-a", "calls", vcon)).status).toBe(204);
    expect((await submit("key-b", "calls", vcon)).status).toBe(204);
    expect(await depth("calls")).toBe(before + 1);
    expect((await submit("key-a", "calls", { ...vcon, subject: "mine now" })).status).toBe(409);
    expect(await read(gateway, vcon)).toEqual(vcon);
  });

  test("a partner corrects what it sent itself, on whatever list, and no other partner does", async () => {
    const vcon = sampleVcon();
    await submit("key-a", "calls", vcon);
    const before = await depth("calls");
    expect((await submit("key-a", "calls", { ...vcon, subject: "corrected" })).status).toBe(204);
    expect((await submit("key-a", "mails", { ...vcon, subject: "again" })).status).toBe(204);
    expect(await depth("calls")).toBe(before + 1);
    const foreign = await submit("key-b", "calls", { ...vcon, subject: "mine now" });
    expect([foreign.status, (await json(foreign))["code"]]).toEqual([409, "VCON_CONFLICT"]);
    expect(await read(gateway, vcon)).toHaveProperty("subject", "again");
  });

  test("what the operator replaced is the operator's", async () => {
    const vcon = sampleVcon();
    await submit("key-a", "calls", vcon);
    await gateway.send("PUT", `/vcon/${vcon.uuid}`, { ...vcon, subject: "checked" });
    expect((await submit("key-a", "calls", { ...vcon, subject: "corrected" })).status).toBe(409);
    expect(await read(gateway, vcon)).toHaveProperty("subject", "checked");
  });

  test("two partners that send one new uuid at once do not write over each other", async () => {
    const vcon = sampleVcon();
    const sent = [
      submit("key-a", "calls", { ...vcon, subject: "a" }),
      submit("key-b", "calls", { ...vcon, subject: "b" }),
    ];
    expect((await Promise.all(sent)).map(({ status }) => status).toSorted()).toEqual([204, 409]);
  });
});

describe.each(BACKENDS)("a uuid whose working copy has expired, with the fallback off (%s)", (kind) => {
  const archived = sampleVcon();
  const unreachable = sampleVcon();
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({
      kind,
      settings: { storageFallback: false },
      plan: { ingressAuth },
      stored: new Map<string, Vcon | VconError>([
        [archived.uuid, archived],
        [unreachable.uuid, new VconError("VCON_STORAGE_DOWN", "the archive does not answer")],
      ]),
    });
  });
  afterAll(() => gateway.close());
  const submit = createPartner(() => gateway);

  async function expire(vcon: Vcon): Promise<void> {
    const lists = [{ name: "calls", chain: "work", max: 10 }];
    const { runs } = await gateway.backend.claim({ owner: "worker", lists, suspects: false });
    const end = { sendTo: [], expiry: { kind: "now", ms: 1 } } as const;
    await gateway.backend.settle(runs.map((lease) => ({ kind: "halted", lease, ...end })));
    await expect.poll(async () => (await gateway.backend.read([vcon.uuid]))[0]).toBeUndefined();
  }

  test("still belongs to its submitter, without any storage that could tell", async () => {
    const [theirs, ours] = [sampleVcon(), sampleVcon()];
    await submit("key-b", "calls", theirs);
    await expire(theirs);
    await gateway.send("POST", "/vcon?ingress_lists=calls", ours);
    await expire(ours);
    expect((await submit("key-a", "calls", { ...theirs, subject: "mine now" })).status).toBe(409);
    expect((await submit("key-a", "calls", { ...ours, subject: "mine now" })).status).toBe(409);
    expect((await submit("key-b", "calls", { ...theirs, subject: "corrected" })).status).toBe(204);
  });

  test("is taken where a storage has it, and 503 where a storage that might cannot be asked", async () => {
    expect((await submit("key-a", "calls", { ...archived, subject: "mine now" })).status).toBe(409);
    const unknown = await submit("key-a", "calls", unreachable);
    expect([unknown.status, (await json(unknown))["code"]]).toEqual([503, "VCON_STORAGE_DOWN"]);
    expect(await gateway.backend.read([archived.uuid, unreachable.uuid])).toEqual([undefined, undefined]);
  });
});
