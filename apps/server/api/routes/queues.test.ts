import { randomUUID } from "node:crypto";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { chain, json, startGateway, type TestGateway } from "../testing/gateway.ts";

describe.each(BACKENDS)("queues (%s)", (kind) => {
  let gateway: TestGateway;
  const archived = sampleVcon();
  const chains = [
    chain("main", { ingressLists: ["main_in", "main_other"] }),
    chain("silent", { ingressLists: [], egressLists: [] }),
  ];
  beforeAll(async () => {
    gateway = await startGateway({ kind, plan: { chains }, stored: new Map([[archived.uuid, archived]]) });
  });
  afterAll(() => gateway.close());

  const store = async () => {
    const vcon = sampleVcon();
    await gateway.send("POST", "/vcon", vcon);
    return vcon.uuid;
  };
  const queue = (body: unknown, list = "in") => gateway.send("POST", `/vcon/ingress?ingress_list=${list}`, body);

  test("stored vCons are queued in the order given, the unknown skipped, those of storages found", async () => {
    const [a, b] = [await store(), await store()];
    const response = await queue([b, randomUUID(), a.toUpperCase(), archived.uuid, b]);
    expect([response.status, await response.text(), response.headers.get("x-vcon-queued")]).toEqual([204, "", "4"]);
    expect(await gateway.backend.peek("in", 0, 10)).toEqual([b, a, archived.uuid, b]);
  });

  test("an empty array is fine; no array, no uuids and no list are refused", async () => {
    expect((await queue([], "empty")).status).toBe(204);
    expect((await queue([randomUUID()], "empty")).status).toBe(204);
    expect(await gateway.backend.depths(["empty"])).toEqual([0]);
    expect((await queue({ uuids: [] })).status).toBe(422);
    const bad = await queue([randomUUID(), "nonsense"]);
    expect([bad.status, (await json(bad))["detail"]]).toMatchObject([
      422,
      [{ type: "uuid_parsing", loc: ["body", 1] }],
    ]);
    const missing = await gateway.send("POST", "/vcon/ingress", []);
    expect([missing.status, (await json(missing))["detail"]]).toMatchObject([
      422,
      [{ type: "missing", loc: ["query", "ingress_list"], msg: "Field required" }],
    ]);
  });

  test("egress hands out the oldest first and takes them off; HEAD takes nothing", async () => {
    const uuids = [randomUUID(), randomUUID(), randomUUID()];
    await gateway.backend.push("out", uuids);
    expect((await gateway.call("/vcon/egress?egress_list=out", { method: "HEAD" })).ok).toBe(false);
    expect(await (await gateway.call("/vcon/egress?egress_list=out")).json()).toEqual([uuids[0]]);
    expect(await (await gateway.call("/vcon/count?egress_list=out")).json()).toBe(2);
    expect(await (await gateway.call("/vcon/egress?egress_list=out&limit=10")).json()).toEqual(uuids.slice(1));
    expect(await (await gateway.call("/vcon/egress?egress_list=out&limit=10")).json()).toEqual([]);
  });

  test("other programs' keys are neither taken from nor appended to", async () => {
    // no other program writes into the embedded database
    if (kind === "embedded") return;
    await gateway.cli("RPUSH", "jobs", '{"class":"Mail"}', randomUUID());
    const refused = await gateway.call("/vcon/egress?egress_list=jobs");
    expect([refused.status, await json(refused)]).toMatchObject([
      409,
      { code: "VCON_CONFLICT", detail: expect.stringMatching(/jobs.*VCON_ALLOWED_LISTS/) },
    ]);
    expect(await gateway.cli("LLEN", "jobs")).toBe("2");
    await gateway.cli("SET", "cache", "theirs");
    const uuid = await store();
    for (const response of [await gateway.call("/vcon/egress?egress_list=cache"), await queue([uuid], "cache")])
      expect([response.status, (await json(response))["code"]]).toEqual([409, "VCON_BACKEND_KEY"]);
    expect(await gateway.cli("GET", "cache")).toBe("theirs");
    await gateway.cli("HSET", "vcon:0198a3e0-7d7a-8c3e-9f00-00000000000a", "a", "b");
    const hash = await gateway.call("/vcon/0198a3e0-7d7a-8c3e-9f00-00000000000a");
    expect([hash.status, (await json(hash))["code"]]).toEqual([409, "VCON_BACKEND_KEY"]);
  });

  test("lists of the configuration and allowed ones are taken from whatever they hold; so are uuids of any other", async () => {
    const uuid = randomUUID();
    for (const list of ["main_other", "allowed"]) {
      await gateway.backend.push(list, ["no uuid"]);
      expect(await (await gateway.call(`/vcon/egress?egress_list=${list}`)).json()).toEqual(["no uuid"]);
    }
    await gateway.backend.push("partner", [uuid]);
    expect(await (await gateway.call("/vcon/egress?egress_list=partner")).json()).toEqual([uuid]);
    expect(await (await gateway.call("/vcon/egress?egress_list=nobody_knows_it")).json()).toEqual([]);
  });

  test("a deleted vCon leaves the lists of the configuration", async () => {
    const [gone, kept] = [await store(), await store()];
    await gateway.backend.push("main_other", [gone, kept, gone]);
    expect((await gateway.call(`/vcon/${gone}`, { method: "DELETE" })).status).toBe(204);
    expect(await gateway.backend.pop("main_other", 9)).toEqual([kept]);
  });

  test.each(["limit=0", "limit=-1", "limit=many", "egress_list=vcs:x"])("egress refuses %s", async (query) => {
    expect((await gateway.call(`/vcon/egress?egress_list=out&${query}`)).status).toBe(422);
  });

  test("a limit beyond the bound takes as many as the bound", async () => {
    const uuids = Array.from({ length: 3 }, () => randomUUID());
    await gateway.backend.push("plenty", uuids);
    expect(await (await gateway.call("/vcon/egress?egress_list=plenty&limit=50000")).json()).toEqual(uuids);
  });

  test("a parameter that is misspelt takes nothing off a list", async () => {
    await gateway.backend.push("kept", [randomUUID()]);
    const refused = await gateway.call("/vcon/egress?egress_list=kept&limits=1&count=5");
    expect([refused.status, (await json(refused))["detail"]]).toMatchObject([
      422,
      [
        {
          type: "extra_forbidden",
          loc: ["query", "count"],
          msg: expect.stringContaining("there are egress_list, limit"),
        },
      ],
    ]);
    expect((await gateway.call("/chain/main/egress?lists=main_egress&max=5")).status).toBe(422);
    expect(await gateway.backend.depths(["kept"])).toEqual([1]);
  });

  test("count is a bare integer, 0 for a list nobody knows, and refuses to go without a list", async () => {
    const response = await gateway.call("/vcon/count?egress_list=nobody");
    expect([response.status, await response.text()]).toEqual([200, "0"]);
    expect((await gateway.call("/vcon/count")).status).toBe(422);
  });

  test("a chain takes uuids or a whole vCon, on its first list or the one named", async () => {
    const known = await store();
    const unknown = randomUUID();
    const many = await gateway.send("POST", "/chain/main/ingress", [known, unknown]);
    expect([many.status, await many.json()]).toEqual([200, { list: "main_in", queued: 1, unknown: [unknown] }]);
    const vcon = sampleVcon();
    const one = await gateway.send("POST", "/chain/main/ingress?list=main_other", vcon);
    expect([one.status, await one.json(), one.headers.get("x-vcon-queued")]).toEqual([201, vcon, "1"]);
    expect(await gateway.backend.peek("main_in", 0, 10)).toEqual([known]);
    expect(await gateway.backend.peek("main_other", 0, 10)).toEqual([vcon.uuid]);
    expect((await gateway.call(`/vcon/${vcon.uuid}`)).status).toBe(200);
  });

  test("a chain hands out its finished vCons", async () => {
    const uuid = randomUUID();
    await gateway.backend.push("main_egress", [uuid]);
    expect(await (await gateway.call("/chain/main/egress?limit=5")).json()).toEqual([uuid]);
  });

  test("an unknown chain is 404 and names the known ones; a list the chain has not is 409", async () => {
    const unknown = await gateway.send("POST", "/chain/nobody/ingress", []);
    expect([unknown.status, (await json(unknown))["detail"]]).toEqual([404, expect.stringContaining("main, silent")]);
    expect((await gateway.call("/chain/main/egress?list=other")).status).toBe(409);
    expect((await gateway.send("POST", "/chain/silent/ingress", [])).status).toBe(409);
  });
});
