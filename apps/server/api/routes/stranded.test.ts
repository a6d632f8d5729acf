import { done } from "@vcon-server/core/backend/conformance/samples";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { chain, json, startGateway, type TestGateway } from "../testing/gateway.ts";
import { bury, claimFrom } from "../testing/work.ts";

describe.each(BACKENDS)("what a renamed chain has left behind (%s)", (kind) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ kind, plan: { chains: [chain("calls"), chain("paused", { enabled: false })] } });
  });
  afterAll(() => gateway.close());

  const submit = async (list: string): Promise<string> => {
    const vcon = sampleVcon();
    await gateway.send("POST", `/vcon?ingress_lists=${list}`, vcon);
    return vcon.uuid;
  };
  const stranded = async () => json(await gateway.call("/stranded"));
  const move = (query: string) => gateway.send("POST", `/stranded/move?${query}`, {});

  test("is listed, counted, found under its old name and moved to another chain, where it is worked on", async () => {
    expect(await stranded()).toEqual({ lists: [], dead_letters: [], storages: [] });
    const { backend } = gateway;
    const dead = await submit("old_calls");
    await bury(backend, "old_calls", "old_dlq");
    const pending = await submit("old_calls");
    const lease = await claimFrom(backend, "old_calls");
    await backend.settle([
      done(lease, { storages: ["old_archive"], required: ["old_archive"], egress: ["elsewhere"] }),
    ]);
    const waiting = [await submit("old_calls"), await submit("old_calls")];
    await submit("calls_ingress");
    await claimFrom(backend, "calls_ingress");
    await submit("paused_ingress");
    await claimFrom(backend, "paused_ingress");

    expect(await stranded()).toEqual({
      lists: [{ name: "old_calls", waiting: 2, parked: 0 }],
      dead_letters: [{ name: "old_dlq", waiting: 1 }],
      storages: [{ name: "old_archive", deliveries: 1 }],
    });
    expect(await (await gateway.call("/dlq?ingress_list=old_calls")).json()).toEqual([dead]);
    expect(await (await gateway.call("/dlq?ingress_list=old_dlq")).json()).toEqual([dead]);
    expect(await (await gateway.call("/dlq?ingress_list=calls_ingress")).json()).toEqual([]);

    const reprocess = (list: string) => gateway.send("POST", `/dlq/reprocess?ingress_list=${list}`, {});
    for (const name of ["old_calls", "old_dlq"]) {
      const refused = await reprocess(name);
      expect(refused.status).toBe(409);
      expect(await json(refused)).toMatchObject({
        code: "VCON_CONFLICT",
        detail: expect.stringMatching(/old_dlq.*POST \/stranded\/move\?list=old_dlq&to=/),
      });
    }
    for (const name of ["calls_ingress", "calls", "zzz"]) expect(await (await reprocess(name)).json()).toBe(0);

    expect((await move("list=old_calls&to=nowhere")).status).toBe(422);
    expect((await move("list=calls_ingress&to=paused_ingress")).status).toBe(409);
    expect(await (await move("list=old_calls&to=calls_ingress")).json()).toBe(2);
    expect(await (await move("list=old_dlq&to=calls_ingress")).json()).toBe(1);
    expect(await backend.peek("calls_ingress", 0, 10)).toEqual([...waiting, dead]);
    expect(await stranded()).toEqual({
      lists: [],
      dead_letters: [],
      storages: [{ name: "old_archive", deliveries: 1 }],
    });
    const moved = await claimFrom(backend, "calls_ingress");
    expect(moved.document?.uuid).toBe(waiting[0]);
    expect(await backend.deliveries(moved.uuid)).toEqual({});
    expect(await backend.deliveries(lease.uuid)).toMatchObject({ old_archive: { want: 1 } });
    expect(pending).toBe(lease.uuid);
  });

  test("is counted by the readiness probe, which stays ready", async () => {
    await submit("gone_calls");
    await claimFrom(gateway.backend, "gone_calls");
    const probe = await gateway.call("/health/ready");
    expect(probe.status).toBe(200);
    expect(await json(probe)).toMatchObject({
      status: "ready",
      details: { stranded: { entries: 1, dead_letters: 0, deliveries: 1 } },
    });
  });
});
