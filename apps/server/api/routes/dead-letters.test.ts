import { randomUUID } from "node:crypto";
import { VconError } from "@vcon-server/core";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { chain, json, startGateway, type TestGateway } from "../testing/gateway.ts";
import { bury } from "../testing/work.ts";

describe.each(BACKENDS)("dead letters (%s)", (kind) => {
  let gateway: TestGateway;
  const chains = [chain("modern"), chain("original", { ingressLists: ["calls"], dlqName: "DLQ:{ingress_list}" })];
  beforeAll(async () => {
    gateway = await startGateway({ kind, plan: { chains } });
  });
  afterAll(() => gateway.close());

  const fail = async (list: string, dlq: string) => {
    const vcon = sampleVcon();
    await gateway.send("POST", `/vcon?ingress_lists=${list}`, vcon);
    await bury(gateway.backend, list, dlq);
    return vcon.uuid;
  };
  const dlq = async (query: string) => (await gateway.call(`/dlq?${query}`)).json();

  test("the list is that of the chain that takes from the ingress list, oldest first, paged on request", async () => {
    const uuids = [
      await fail("modern_ingress", "modern_dlq"),
      await fail("modern_ingress", "modern_dlq"),
      await fail("modern_ingress", "modern_dlq"),
    ];
    expect(await dlq("ingress_list=modern_ingress")).toEqual(uuids);
    expect(await dlq("ingress_list=modern_ingress&limit=1&offset=1")).toEqual([uuids[1]]);
    expect(await dlq("ingress_list=nobody")).toEqual([]);
  });

  test("a list of many pages is answered whole", async () => {
    const uuids = Array.from({ length: 2_300 }, () => randomUUID());
    await gateway.backend.push("DLQ:many", uuids);
    expect(await dlq("ingress_list=many")).toEqual(uuids);
    expect(await dlq("ingress_list=many&limit=1500&offset=700")).toEqual(uuids.slice(700, 2_200));
  });

  test("an outage is one, not an empty list", async () => {
    gateway.fail(new VconError("VCON_BACKEND_DOWN", "the backend does not answer"));
    const { status } = await gateway.call("/dlq?ingress_list=many");
    gateway.fail(undefined);
    expect(status).toBe(503);
  });

  test("details=true gives the records: what failed, where and why", async () => {
    const uuid = await fail("calls", "DLQ:calls");
    expect(await dlq("ingress_list=calls&details=true")).toEqual([
      {
        uuid,
        record: expect.objectContaining({
          kind: "link",
          link: "webhook",
          code: "VCON_LINK_FAILED",
          message: "webhook answered 500",
        }),
      },
    ]);
  });

  test("entries of other programs, under the original's name, are listed without a record", async () => {
    const uuid = randomUUID();
    await gateway.backend.push("DLQ:foreign", [uuid]);
    expect(await dlq("ingress_list=foreign")).toEqual([uuid]);
  });

  test("reprocess moves the oldest back and answers a bare integer", async () => {
    const uuids = [
      await fail("again", "DLQ:again"),
      await fail("again", "DLQ:again"),
      await fail("again", "DLQ:again"),
    ];
    const response = await gateway.call("/dlq/reprocess?ingress_list=again&count=2", { method: "POST" });
    expect([response.status, await response.text()]).toEqual([200, "2"]);
    expect(await gateway.backend.peek("again", 0, 10)).toEqual(uuids.slice(0, 2));
    expect(await dlq("ingress_list=again")).toEqual(uuids.slice(2));
    expect(await (await gateway.call("/dlq/reprocess?ingress_list=again", { method: "POST" })).json()).toBe(1);
    expect(await (await gateway.call("/dlq/reprocess?ingress_list=again", { method: "POST" })).json()).toBe(0);
  });

  test.each(["count=0", "count=100001", "count=all", "ingress_list=tel:1"])("reprocess refuses %s", async (query) => {
    const response = await gateway.call(`/dlq/reprocess?ingress_list=again&${query}`, { method: "POST" });
    expect(response.status).toBe(422);
  });

  test("a missing list name is refused by name", async () => {
    const response = await gateway.call("/dlq");
    expect([response.status, (await json(response))["detail"]]).toMatchObject([
      422,
      [{ type: "missing", loc: ["query", "ingress_list"] }],
    ]);
  });
});
