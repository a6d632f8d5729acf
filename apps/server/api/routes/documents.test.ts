import { randomUUID } from "node:crypto";
import { VconError } from "@vcon-server/core";
import { sampleVcon } from "@vcon-server/core/testing";
import type { Vcon } from "@vcon-server/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { json, startGateway, type TestGateway } from "../testing/gateway.ts";

describe.each(BACKENDS)("reading vCons (%s)", (kind) => {
  let gateway: TestGateway;
  const archived = sampleVcon({ subject: "only in a storage" });
  const unreachable = randomUUID();
  const outage = new VconError("VCON_STORAGE_DOWN", "the archive does not answer", { retryAfterSecs: 9 });
  beforeAll(async () => {
    const stored = new Map<string, Vcon | VconError>([
      [archived.uuid, archived],
      [unreachable, outage],
    ]);
    gateway = await startGateway({ kind, stored });
  });
  afterAll(() => gateway.close());

  const store = async (members: Partial<Vcon> = {}) => {
    const vcon = sampleVcon(members);
    expect((await gateway.send("POST", "/vcon", vcon)).status).toBe(201);
    return vcon;
  };

  test("GET one answers the stored bytes with a tag; If-None-Match spares them", async () => {
    const vcon = await store({ x: [1, { y: null }] });
    const response = await gateway.call(`/api/vcon/${vcon.uuid}`);
    expect([response.status, response.headers.get("etag"), response.headers.get("content-type")]).toEqual([
      200,
      '"1"',
      "application/json",
    ]);
    expect(await response.text()).toBe(JSON.stringify(vcon));
    const spared = await gateway.call(`/vcon/${vcon.uuid}`, { headers: { "if-none-match": '"1"' } });
    expect([spared.status, await spared.text(), spared.headers.get("etag")]).toEqual([304, "", '"1"']);
  });

  test("GET one takes every spelling of a uuid the original takes, and refuses the rest naming the place", async () => {
    const { uuid } = await store();
    for (const spelling of [uuid.toUpperCase(), `{${uuid}}`, uuid.replaceAll("-", ""), `urn:uuid:${uuid}`]) {
      expect([spelling, (await gateway.call(`/vcon/${encodeURIComponent(spelling)}`)).status]).toEqual([spelling, 200]);
    }
    const refused = await gateway.call("/vcon/not-a-uuid");
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      detail: [
        { type: "uuid_parsing", loc: ["path", "vcon_uuid"], msg: "Input should be a valid UUID", input: "not-a-uuid" },
      ],
      errors: [{ pointer: "/vcon_uuid", in: "path" }],
    });
  });

  test("an unknown vCon is 404 with the original's words", async () => {
    const response = await gateway.call(`/vcon/${randomUUID()}`);
    expect([response.status, (await json(response))["detail"]]).toEqual([404, "vCon not found"]);
  });

  test("GET one falls through to the storages and keeps what it found", async () => {
    const response = await gateway.call(`/vcon/${archived.uuid}`);
    expect([response.status, await response.json()]).toEqual([200, archived]);
    const [kept] = await gateway.backend.read([archived.uuid]);
    expect(kept).toBeDefined();
  });

  test("a storage that is down is an outage, never an absence", async () => {
    const response = await gateway.call(`/vcon/${unreachable}`);
    expect([response.status, response.headers.get("retry-after"), (await json(response))["code"]]).toEqual([
      503,
      "9",
      "VCON_STORAGE_DOWN",
    ]);
    expect((await gateway.call(`/vcons?vcon_uuids=${unreachable}`)).status).toBe(503);
  });

  test("a version asked for is written, under a tag of its own", async () => {
    const vcon = await store();
    const response = await gateway.call(`/vcon/${vcon.uuid}?egress_format_version=0.0.1`);
    expect(response.headers.get("etag")).toBe('"1-0.0.1"');
    expect(await response.json()).toMatchObject({
      vcon: "0.0.1",
      group: [],
      redacted: {},
      appended: null,
      dialog: [{ mimetype: "text/plain" }],
    });
    expect((await gateway.call(`/vcon/${vcon.uuid}?egress_format_version=9`)).status).toBe(422);
  });

  test("the list is newest first, paged, and bounded by creation time, both ends included", async () => {
    const days = ["2031-05-01", "2031-05-02", "2031-05-03", "2031-05-04"];
    const vcons = await Promise.all(days.map((day) => store({ created_at: `${day}T00:00:00Z` })));
    const [first, second, third, fourth] = vcons.map(({ uuid }) => uuid);
    const list = async (query: string) =>
      (await gateway.call(`/vcon?since=2031-05-01&until=2031-05-31&${query}`)).json();
    expect(await list("")).toEqual([fourth, third, second, first]);
    expect(await list("page=2&size=3")).toEqual([first]);
    expect(await list("page=9")).toEqual([]);
    const between = await gateway.call("/vcon?since=2031-05-02T00:00:00Z&until=2031-05-03T02:00:00%2B02:00");
    expect(await between.json()).toEqual([third, second]);
    const unencoded = await gateway.call("/vcon?since=2031-05-04T02:00:00+02:00&until=2031-05-31");
    expect(await unencoded.json()).toEqual([fourth]);
    const seconds = Date.parse("2031-05-04T00:00:00Z") / 1000;
    expect(await (await gateway.call(`/vcon?since=${seconds}`)).json()).toEqual([fourth]);
  });

  test("a size beyond the bound gives a page of the bound, and a full page says where the next one is", async () => {
    const all = await gateway.call("/vcon?since=2031-05-01&until=2031-05-31&size=5000");
    expect([all.status, all.headers.get("link")]).toEqual([200, null]);
    expect(await all.json()).toHaveLength(4);
    expect((await gateway.call("/vcon?size=99999999999999999999")).status).toBe(200);
    const page = await gateway.call("/vcon?since=2031-05-01&until=2031-05-31&size=3");
    const next = /^<\/api(.*)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
    expect(await (await gateway.call(next ?? "")).json()).toHaveLength(1);
  });

  test.each([
    "page=0",
    "page=-1",
    "size=0",
    "size=-1",
    "page=x",
    "size=1.5",
    "page=",
    "since=yesterday",
    "until=",
    "page=99999999999999999999",
  ])("the list refuses %s", async (query) => {
    const response = await gateway.call(`/vcon?${query}`);
    expect(response.status).toBe(422);
    expect((await json(response))["detail"]).toMatchObject([{ loc: ["query", query.split("=")[0]] }]);
  });

  test("a deleted or restored vCon never breaks the list", async () => {
    const vcon = await store({ created_at: "2033-01-01T00:00:00Z" });
    await gateway.call(`/vcon/${archived.uuid}`);
    await gateway.call(`/vcon/${vcon.uuid}`, { method: "DELETE" });
    const response = await gateway.call("/vcon?size=1000");
    expect(response.status).toBe(200);
    const uuids = await response.json();
    expect(uuids).toContain(archived.uuid);
    expect(uuids).not.toContain(vcon.uuid);
  });

  test("search is a true AND over exact values", async () => {
    const number = "+4930999000111";
    const both = await store({ parties: [{ tel: number, name: "Zoë Z." }, { mailto: "z@example.org" }] });
    const one = await store({ parties: [{ tel: number }] });
    const find = async (query: Readonly<Record<string, string>>) => {
      const response = await gateway.call(`/vcons/search?${new URLSearchParams(query)}`);
      expect(response.status).toBe(200);
      const found: unknown = await response.json();
      return Array.isArray(found) ? found.toSorted() : found;
    };
    expect(await find({ tel: number })).toEqual([both.uuid, one.uuid].toSorted());
    expect(await find({ tel: number, name: "Zoë Z." })).toEqual([both.uuid]);
    expect(await find({ tel: number, name: "Zoë Z.", mailto: "z@example.org" })).toEqual([both.uuid]);
    expect(await find({ tel: number, name: "nobody" })).toEqual([]);
    expect(await find({ tel: "nobody", name: "nobody" })).toEqual([]);
    expect(await find({ tel: number, mailto: "" })).toEqual([]);
  });

  test("search without a parameter is 400 with the original's words", async () => {
    const response = await gateway.call("/vcons/search");
    expect([response.status, (await json(response))["detail"]]).toEqual([
      400,
      "At least one search parameter must be provided",
    ]);
  });

  test("findings name rule, level and place", async () => {
    const vcon = await store({ dialog: [{ type: "text", body: "hi" }] });
    const response = await gateway.call(`/vcon/${vcon.uuid}/findings`);
    expect(response.status).toBe(200);
    expect(await response.json()).toContainEqual(
      expect.objectContaining({
        code: "content.encoding-missing",
        rule: 109,
        level: "MUST",
        pointer: expect.stringMatching(/^\/dialog\/0/),
      }),
    );
    expect((await gateway.call(`/vcon/${randomUUID()}/findings`)).status).toBe(404);
  });

  test("deliveries of a vCon without any are an empty object; of an unknown one 404", async () => {
    const vcon = await store();
    expect(await (await gateway.call(`/vcon/${vcon.uuid}/deliveries`)).json()).toEqual({});
    expect((await gateway.call(`/vcon/${randomUUID()}/deliveries`)).status).toBe(404);
  });

  test("HEAD of a vCon tells its tag", async () => {
    const vcon = await store();
    const response = await gateway.call(`/vcon/${vcon.uuid}`, { method: "HEAD" });
    expect([response.status, response.headers.get("etag"), await response.text()]).toEqual([200, '"1"', ""]);
  });
});

describe("what other programs wrote", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ kind: "redis" });
  });
  afterAll(() => gateway.close());

  test("is served as it is, under a tag of its content, and can be changed under that tag", async () => {
    const uuid = randomUUID();
    const text = `{ "uuid": "${uuid}", "vcon": "0.0.1", "created_at": "2026-01-02T03:04:05Z", "group": [] }`;
    await gateway.writeRaw(uuid, text);
    const response = await gateway.call(`/vcon/${uuid}`);
    expect(await response.text()).toBe(text);
    const etag = response.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"x[0-9a-f]{16}"$/);
    const changed = await gateway.send("PATCH", `/vcon/${uuid}`, { subject: "changed" }, { "if-match": etag });
    expect(changed.status).toBe(200);
    expect(await (await gateway.call(`/vcon/${uuid}`)).json()).toMatchObject({ uuid, subject: "changed" });
  });

  test("nonsense under a vCon's key is a failure that names itself, and re-indexing leaves it out", async () => {
    const uuid = randomUUID();
    await gateway.writeRaw(uuid, "not json");
    const vcon = sampleVcon();
    await gateway.send("POST", "/vcon", vcon);
    expect((await gateway.call(`/vcon/${uuid}?egress_format_version=0.0.1`)).status).toBe(500);
    const response = await gateway.call("/index_vcons");
    expect([response.status, await response.json()]).toEqual([200, 2]);
    expect(gateway.log).toContainEqual(
      expect.objectContaining({ message: "a vCon cannot be indexed", fields: expect.objectContaining({ vcon: uuid }) }),
    );
  });
});

test("without the fall-through a vCon that only a storage has is not found", async () => {
  const archived = sampleVcon();
  const gateway = await startGateway({
    stored: new Map([[archived.uuid, archived]]),
    settings: { storageFallback: false },
  });
  expect((await gateway.call(`/vcon/${archived.uuid}`)).status).toBe(404);
  expect(await (await gateway.call(`/vcons?vcon_uuids=${archived.uuid}`)).json()).toEqual([null]);
  await gateway.close();
});

test("the deployment's version applies at every exit alike, unless the request names one", async () => {
  const gateway = await startGateway({ settings: { egressVersion: "0.0.1" } });
  const vcon = sampleVcon();
  const posted = await gateway.send("POST", "/vcon", vcon);
  expect(await posted.json()).toHaveProperty("vcon", "0.0.1");
  expect(await (await gateway.call(`/vcon/${vcon.uuid}`)).json()).toHaveProperty("vcon", "0.0.1");
  expect(await (await gateway.call(`/vcons?vcon_uuids=${vcon.uuid}`)).json()).toMatchObject([{ vcon: "0.0.1" }]);
  expect(await (await gateway.call(`/vcon/${vcon.uuid}?egress_format_version=0.4.0`)).json()).toHaveProperty(
    "vcon",
    "0.4.0",
  );
  await gateway.close();
});
