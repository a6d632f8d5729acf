import { randomUUID } from "node:crypto";
import { VconError } from "@vcon-server/core";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { chain, json, startGateway, type TestGateway } from "../testing/gateway.ts";
import { work } from "../testing/work.ts";

describe.each(BACKENDS)("storing vCons (%s)", (kind) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({
      kind,
      plan: { chains: [chain("strict", { profile: "strict" }), chain("paused", { enabled: false })] },
    });
  });
  afterAll(() => gateway.close());

  const post = (body: unknown, query = "", headers: Readonly<Record<string, string>> = {}) =>
    gateway.send("POST", `/vcon${query}`, body, headers);

  test("POST /vcon answers 201 with the stored document, tag, place and number of findings", async () => {
    const vcon = sampleVcon();
    const response = await post(vcon, "?ingress_lists=one&ingress_lists=two");
    expect(response.status).toBe(201);
    expect(response.headers.get("etag")).toBe('"1"');
    expect(response.headers.get("location")).toBe(`/api/vcon/${vcon.uuid}`);
    expect(Number(response.headers.get("x-vcon-findings"))).toBeGreaterThanOrEqual(0);
    expect(response.headers.get("x-vcon-queued")).toBe("2");
    expect(await response.json()).toEqual(vcon);
    expect(await gateway.backend.peek("one", 0, 10)).toEqual([vcon.uuid]);
    expect(await gateway.backend.peek("two", 0, 10)).toEqual([vcon.uuid]);
    expect(gateway.events).toContainEqual({ type: "vcon.created", vcon: vcon.uuid });
  });

  test("lists that no enabled chain takes from are told, and get the vCon all the same", async () => {
    const vcon = sampleVcon();
    const told = ({ headers }: Response) => headers.get("x-vcon-unconsumed");
    expect(told(await post(vcon, "?ingress_lists=strict_ingress"))).toBeNull();
    expect(told(await post(vcon))).toBeNull();
    expect(told(await post(vcon, "?ingress_lists=strict_ingress,stric_ingress,paused_ingress"))).toBe(
      "stric_ingress, paused_ingress",
    );
    expect(await gateway.backend.peek("stric_ingress", 0, 10)).toEqual([vcon.uuid]);
    expect(told(await gateway.send("PUT", `/vcon/${vcon.uuid}?ingress_lists=other`, vcon))).toBe("other");
    expect(told(await gateway.send("POST", "/vcon/ingress?ingress_list=other", [vcon.uuid]))).toBe("other");
    expect(told(await gateway.send("POST", "/vcon/ingress?ingress_list=strict_ingress", [vcon.uuid]))).toBeNull();
    expect(told(await gateway.send("POST", "/chain/paused/ingress", [vcon.uuid]))).toBe("paused_ingress");
    const lines = (list: string) =>
      gateway.send("POST", `/vcons?ingress_lists=${list}`, vcon, { "content-type": "application/x-ndjson" });
    expect(await json(await lines("other,strict_ingress"))).toMatchObject({ status: 201, unconsumed: ["other"] });
    expect(await json(await lines("strict_ingress"))).not.toHaveProperty("unconsumed");
  });

  test("no null is put into what was sent, old names become current ones, unknown members stay", async () => {
    const uuid = randomUUID();
    const legacy = {
      vcon: "0.0.1",
      uuid: `{${uuid.toUpperCase()}}`,
      created_at: "2026-01-02T03:04:05+00:00",
      appended: { uuid: randomUUID() },
      parties: [{ name: "Ann", x_unknown: 1 }],
      dialog: [{ type: "recording", start: "2026-01-02T03:04:05Z", duration: 3, mimetype: "audio/wav", x: [null] }],
      x_top: { deep: [1, { y: "z" }] },
    };
    const stored = await json(await post(legacy));
    expect(stored).toMatchObject({
      uuid,
      x_top: legacy.x_top,
      amended: legacy.appended,
      parties: [{ name: "Ann", x_unknown: 1 }],
      dialog: [{ duration: 3, mediatype: "audio/wav", x: [null] }],
    });
    expect(stored).not.toHaveProperty("subject");
    expect(stored).not.toHaveProperty("dialog.0.url");
    expect(stored).not.toHaveProperty("group");
  });

  test("the same content twice gives the same answer and is queued once, whatever links made of it meanwhile", async () => {
    const vcon = sampleVcon();
    const first = await post(vcon, "?ingress_lists=again");
    await work(gateway.backend, "again", (sent) => ({ ...sent, subject: "made by a link" }));
    const second = await post(vcon, "?ingress_lists=again");
    expect(second.status).toBe(201);
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get("x-vcon-queued")).toBe("0");
    // the tag would be that of a document the client has not seen
    expect(second.headers.get("etag")).toBeNull();
    expect(await gateway.backend.depths(["again"])).toEqual([0]);
    expect(await (await gateway.call(`/vcon/${vcon.uuid}`)).json()).toHaveProperty("subject", "made by a link");
  });

  test("twenty concurrent replays are one vCon, one revision and one queue entry", async () => {
    const vcon = sampleVcon();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(vcon, "?ingress_lists=replays")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
    expect(await gateway.backend.peek("replays", 0, 100)).toEqual([vcon.uuid]);
    expect((await gateway.call(`/vcon/${vcon.uuid}`)).headers.get("etag")).toBe('"1"');
  });

  test("requeue=true queues the same content again", async () => {
    const vcon = sampleVcon();
    await post(vcon, "?ingress_lists=twice");
    expect((await post(vcon, "?ingress_lists=twice&requeue=true")).headers.get("x-vcon-queued")).toBe("1");
    expect(await gateway.backend.depths(["twice"])).toEqual([2]);
  });

  test("other content is a new revision, unless a precondition says otherwise", async () => {
    const vcon = sampleVcon();
    await post(vcon);
    const changed = { ...vcon, subject: "changed" };
    expect((await post(changed, "", { "if-none-match": "*" })).status).toBe(412);
    expect((await post(changed, "", { "if-match": '"7"' })).status).toBe(412);
    const second = await post(changed, "", { "if-match": '"1"' });
    expect([second.status, second.headers.get("etag")]).toEqual([201, '"2"']);
    expect(gateway.events).toContainEqual({ type: "vcon.updated", vcon: vcon.uuid });
  });

  test("concurrent creations under If-None-Match: * let one through", async () => {
    const vcon = sampleVcon();
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((turn) => post({ ...vcon, subject: `${turn}` }, "", { "if-none-match": "*" })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 412, 412, 412, 412, 412]);
  });

  test("single submissions of one moment travel to the backend in few batches", async () => {
    const before = gateway.batches.length;
    await Promise.all(Array.from({ length: 60 }, () => post(sampleVcon())));
    const batches = gateway.batches.slice(before);
    expect(batches.reduce((sum, size) => sum + size, 0)).toBe(60);
    expect(batches.length).toBeLessThan(60);
  });

  test("a vCon without a uuid is refused with the remedy, and gets one when asked for", async () => {
    const { uuid: _, ...nameless } = sampleVcon();
    const refused = await post(nameless);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      code: "VCON_INPUT_INVALID",
      detail: [{ type: "missing", loc: ["body", "uuid"], msg: expect.stringContaining("give_uuid=true") }],
      errors: [{ pointer: "/uuid", in: "body" }],
    });
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(nameless, "?give_uuid=true")));
    const given = await Promise.all(answers.map(async (answer) => (await json(answer))["uuid"]));
    expect(new Set(given).size).toBe(8);
    for (const uuid of given)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("the profile is that of the chain the vCon goes to, unless the request names one", async () => {
    const { created_at: _, ...undated } = sampleVcon();
    expect((await post(undated)).status).toBe(201);
    expect((await post({ ...undated, uuid: randomUUID() }, "?profile=strict")).status).toBe(422);
    expect((await post({ ...undated, uuid: randomUUID() }, "?ingress_lists=strict_ingress")).status).toBe(422);
    expect(
      (await post({ ...undated, uuid: randomUUID() }, "?ingress_lists=strict_ingress&profile=tolerant")).status,
    ).toBe(201);
  });

  test("list names that are keys of the server, or no names, are refused", async () => {
    for (const name of [
      "vcs:x",
      "vcon:x",
      "tel:1",
      "mailto:a",
      "name:b",
      "context:l:u",
      "vcons",
      ",",
      "",
      "a b",
      "x".repeat(129),
    ]) {
      const response = await post(sampleVcon(), `?ingress_lists=${encodeURIComponent(name)}`);
      expect([name, response.status]).toEqual([name, 422]);
    }
  });

  test.each([
    ["joined by a comma", "ingress_lists=h_one%2Ch_two"],
    ["joined by a comma that is not encoded", "ingress_lists=h_one,h_two"],
    ["with spaces and a comma at the end", "ingress_lists=%20h_one%20&ingress_lists=h_two%2C%20"],
    ["in brackets", "ingress_lists[]=h_one&ingress_lists%5B%5D=h_two"],
    ["in numbered brackets", "ingress_lists[0]=h_one&ingress_lists[1]=h_two"],
    ["in the singular", "ingress_list=h_one&ingress_list=h_two"],
    ["twice over", "ingress_lists=h_one,h_two&ingress_list=h_one"],
  ])("lists %s are each queued once", async (_, query) => {
    const vcon = sampleVcon();
    const response = await post(vcon, `?${query}`);
    expect([response.status, response.headers.get("x-vcon-queued")]).toEqual([201, "2"]);
    for (const list of ["h_one", "h_two"])
      expect((await gateway.backend.peek(list, 0, 1000)).filter((uuid) => uuid === vcon.uuid)).toEqual([vcon.uuid]);
  });

  test("a parameter that does not exist is refused with the one that was meant, and nothing is stored", async () => {
    const vcon = sampleVcon();
    const refused = await post(vcon, "?ingres_lists=a&re_queue=true&x=1");
    expect([refused.status, await json(refused)]).toMatchObject([
      422,
      {
        detail: [
          { loc: ["query", "ingres_lists"], msg: expect.stringContaining("did you mean ingress_lists?") },
          { loc: ["query", "re_queue"], msg: expect.stringContaining("did you mean requeue?") },
          { loc: ["query", "x"], msg: expect.stringContaining("there are ") },
        ],
        errors: [{ in: "query", pointer: "/ingres_lists" }, {}, {}],
      },
    ]);
    const routes = [
      ["PUT", `/vcon/${vcon.uuid}`],
      ["PATCH", `/vcon/${vcon.uuid}`],
      ["DELETE", `/vcon/${vcon.uuid}`],
      ["POST", "/config"],
      ["POST", "/dlq/reprocess"],
      ["POST", "/vcons"],
      ["POST", "/vcon/ingress"],
      ["POST", "/chain/strict/ingress"],
    ] as const;
    for (const [method, path] of routes) {
      const response = await gateway.send(method, `${path}?dry_run=true`, vcon);
      expect([path, response.status]).toEqual([path, 422]);
    }
    expect((await gateway.call(`/vcon/${vcon.uuid}?cache_buster=1`)).status).toBe(404);
  });

  test("the answer leaves in the version that was asked for", async () => {
    const vcon = sampleVcon();
    const response = await post(vcon, "?egress_format_version=0.0.1");
    expect(response.headers.get("etag")).toBe('"1-0.0.1"');
    expect(await response.json()).toMatchObject({ vcon: "0.0.1", group: [], dialog: [{ mimetype: "text/plain" }] });
  });

  test("numbers a double cannot hold come back as they were sent", async () => {
    const text = JSON.stringify(sampleVcon()).replace("{", '{"x":12345678901234567890,"y":1e400,');
    const response = await post(text);
    const stored = await response.text();
    expect([stored.includes('"x":12345678901234567890'), stored.includes('"y":1e400')]).toEqual([true, true]);
  });

  test("PUT creates with 201 and replaces with 200; a body without uuid is about its address", async () => {
    const { uuid, ...rest } = sampleVcon();
    const created = await gateway.send("PUT", `/vcon/${uuid}`, rest);
    expect([created.status, created.headers.get("etag")]).toEqual([201, '"1"']);
    expect(await created.json()).toEqual({ ...rest, uuid });
    const replaced = await gateway.send("PUT", `/vcon/${uuid}?ingress_lists=put`, { ...rest, subject: "new" });
    expect([replaced.status, replaced.headers.get("etag")]).toEqual([200, '"2"']);
    expect(await gateway.backend.depths(["put"])).toEqual([1]);
  });

  test("PUT refuses the uuid of another vCon", async () => {
    const response = await gateway.send("PUT", `/vcon/${randomUUID()}`, sampleVcon());
    expect(response.status).toBe(422);
    expect((await json(response))["errors"]).toMatchObject([{ pointer: "/uuid" }]);
  });

  test("PUT with If-Match, If-None-Match and If-Match: *", async () => {
    const vcon = sampleVcon();
    const put = (subject: string, headers: Readonly<Record<string, string>>) =>
      gateway.send("PUT", `/vcon/${vcon.uuid}`, { ...vcon, subject }, headers).then(({ status }) => status);
    expect(await put("a", { "if-match": "*" })).toBe(412);
    expect(await put("a", { "if-match": '"1"' })).toBe(412);
    expect(await put("a", { "if-none-match": "*" })).toBe(201);
    expect(await put("b", { "if-none-match": "*" })).toBe(412);
    expect(await put("b", { "if-match": '"1"' })).toBe(200);
    expect(await put("c", { "if-match": '"1"' })).toBe(412);
    expect(await put("c", { "if-match": "*" })).toBe(200);
    expect(await put("d", { "if-none-match": '"3"' })).toBe(422);
  });

  test("PUT of what was first sent replaces what links have made of it", async () => {
    const vcon = sampleVcon();
    await post(vcon, "?ingress_lists=undo");
    await work(gateway.backend, "undo", (sent) => ({ ...sent, subject: "made by a link" }));
    const undone = await gateway.send("PUT", `/vcon/${vcon.uuid}`, vcon);
    expect([undone.status, undone.headers.get("etag")]).toEqual([200, '"3"']);
    expect(await (await gateway.call(`/vcon/${vcon.uuid}`)).json()).toEqual(vcon);
    const again = await gateway.send("PUT", `/vcon/${vcon.uuid}`, vcon);
    expect(again.headers.get("etag")).toBe('"3"');
  });

  test("an outage is 503 with Retry-After, not a lost vCon and no 500", async () => {
    gateway.fail(new VconError("VCON_BACKEND_FULL", "no room", { retryAfterSecs: 2.5 }));
    const response = await post(sampleVcon());
    gateway.fail(undefined);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "3"]);
    expect(await response.json()).toMatchObject({
      code: "VCON_BACKEND_FULL",
      type: "urn:vcon-server:error:VCON_BACKEND_FULL",
    });
  });

  test("a failure nobody foresaw has the original's detail, an instance to look for and no stack", async () => {
    gateway.fail(new TypeError("secret internals at /home"));
    const response = await post(sampleVcon());
    gateway.fail(undefined);
    const problem = await json(response);
    expect(response.status).toBe(500);
    expect(problem).toMatchObject({ detail: "Failed to store vCon", code: "VCON_INTERNAL" });
    expect(JSON.stringify(problem)).not.toContain("secret");
    expect(gateway.log.filter(({ fields }) => fields?.["instance"] === problem["instance"])).toHaveLength(1);
  });
});
