import { Client, type estypes } from "@elastic/elasticsearch";
import type { LogFields, Logger, StorageHandle } from "@vcon-server/core";
import { openStorage, sampleVcon, stored } from "@vcon-server/core/testing";
import { type ElasticsearchServer, startElasticsearch } from "@vcon-server/core/testing/servers/elasticsearch";
import { type Json, parseVcon, type Vcon } from "@vcon-server/vcon";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import elasticsearch from "./index.ts";

let server: ElasticsearchServer;
let client: Client;
let storage: StorageHandle;
let warnings: LogFields[];
const call = { signal: new AbortController().signal };
const log: Logger = { debug() {}, info() {}, error() {}, warn: (_, fields = {}) => void warnings.push(fields) };

beforeAll(async () => {
  server = await startElasticsearch();
  client = new Client({ node: server.url });
  storage = await openStorage(elasticsearch, { url: server.url, refresh: true }, { log });
});
beforeEach(() => {
  warnings = [];
});
afterAll(async () => {
  await storage.close?.();
  await client.close();
  await server.stop();
});

/** A vCon with one analysis. */
const analysed = (type: string, body: Json, more: object = {}): Vcon =>
  sampleVcon({
    parties: [],
    dialog: [],
    analysis: [{ type, body, encoding: typeof body === "string" ? "none" : "json", ...more }],
  });

type Query = NonNullable<estypes.SearchRequest["query"]>;

const found = async (index: string, query: Query) =>
  (await client.search({ index, query })).hits.hits.map(({ _id }) => _id);

test("the fake maps what it sees first, and then refuses a body of another shape", async () => {
  const put = (id: string, body: unknown) => client.index({ index: "dynamic", id, document: { body } as object });
  await put("1", "text");
  await expect(put("2", { mood: "good" })).rejects.toMatchObject({
    statusCode: 400,
    body: {
      error: {
        type: "document_parsing_exception",
        reason: expect.stringContaining("failed to parse field [body] of type [text]"),
      },
    },
  });
  const other = (id: string, body: unknown) => client.index({ index: "dynamic_objects", id, document: { body } });
  await other("1", { at: "2026-01-02" });
  await expect(other("2", "text")).rejects.toThrow(
    /tried to parse field \[body\] as object, but found a concrete value/,
  );
  await expect(other("3", { at: "soon" })).rejects.toThrow(/failed to parse field \[body\.at\] of type \[date\]/);
});

test("the fake takes compressed requests", async () => {
  const compressing = new Client({ node: server.url, compression: true });
  await compressing.index({ index: "compressed", id: "1", document: { body: "x".repeat(5_000) } });
  await compressing.close();
  expect(server.documents("compressed").get("1")).toEqual({ body: "x".repeat(5_000) });
});

test("bodies of every shape share an index made here, in any order", async () => {
  const bodies: Json[] = [
    "text",
    { mood: "good" },
    ["a", "b"],
    [{ text: "x" }, "y"],
    7,
    null,
    { mood: { deep: 1 } },
    "2026-01-02",
    true,
  ];
  const vcons = [...bodies, ...bodies.toReversed()].map((body) => analysed("mixed", body));
  for (const vcon of vcons) await storage.save(stored(vcon), call);
  expect(server.documents("vcon_analysis_mixed").size).toBe(vcons.length);
  for (const { uuid, analysis } of vcons) {
    expect(server.documents("vcon_analysis_mixed").get(`${uuid}_0`)).toMatchObject({ body: analysis![0]!.body });
  }
  expect(warnings).toEqual([]);
});

test("bodies are found by their words, by a whole text, and by a path in JSON", async () => {
  const text = analysed("searched", "The customer wants a refund.");
  const json = analysed("searched", { mood: { score: 7, tags: ["queue:sales"] }, words: ["about", "the Refund"] });
  const media = analysed("searched", "cmVmdW5k", { encoding: "base64url", mediatype: "audio/ogg" });
  await storage.saveMany?.([stored(text), stored(json), stored(media)], call);
  const ids = (...vcons: Vcon[]) => vcons.map(({ uuid }) => `${uuid}_0`);
  const index = "vcon_analysis_searched";
  expect(await found(index, { match: { body_text: "refund" } })).toEqual(ids(text, json));
  expect(await found(index, { term: { "body_text.keyword": "queue:sales" } })).toEqual(ids(json));
  expect(await found(index, { term: { "rest.body.mood.score": "7" } })).toEqual(ids(json));
  expect(await found(index, { term: { "rest.mediatype": "audio/ogg" } })).toEqual(ids(media));
  expect(await found(index, { term: { body_text: "cmvmdw5k" } })).toEqual([]);
});

test("known members are found as in indices of the Python server, unknown ones by their path", async () => {
  const vcon = sampleVcon({
    parties: [{ name: "Ann Other", tel: "+12025550123", role: "members", x_crm: { id: 9 } }],
    attachments: [{ type: "tenant", body: { id: "acme" } }],
  });
  await storage.save(stored(vcon), call);
  const index = "vcon_parties_members";
  const queries: Query[] = [
    { match: { name: "ann" } },
    { term: { "tel.keyword": "+12025550123" } },
    { term: { "vcon_id.keyword": vcon.uuid } },
    { term: { tenant_id: "acme" } },
    { term: { started_at: "2026-01-02T03:04:05Z" } },
    { term: { "rest.x_crm.id": "9" } },
  ];
  for (const query of queries) expect(await found(index, query), JSON.stringify(query)).toEqual([`${vcon.uuid}_0`]);
});

test("numbers that no double holds and deep nesting are kept in the parts", async () => {
  const deep = `${'{"a":'.repeat(150)}1${"}".repeat(150)}`;
  const uuid = sampleVcon().uuid;
  const vcon = parseVcon(
    `{"uuid":"${uuid}","analysis":[{"type":"odd","body":{"n":12345678901234567890,"d":${deep}}}],"dialog":[]}`,
  );
  await storage.save(stored(vcon), call);
  expect(JSON.stringify(server.documents("vcon_analysis_odd").get(`${uuid}_0`))).toContain('"n":12345678901234567890');
  expect(warnings).toEqual([]);
});

test("in an index of the Python server documents are as that one writes them", async () => {
  const index = "vcon_attachments_old";
  await client.index({
    index,
    id: "old_0",
    document: { vcon_id: "old", body: "text", started_at: "2025-01-02T03:04:05Z" },
  });
  const attachment = { type: "old", body: "more", encoding: "none" };
  const vcon = sampleVcon({ attachments: [attachment] });
  await storage.save(stored(vcon), call);
  const facts = { vcon_id: vcon.uuid, started_at: "2026-01-02T03:04:05Z" };
  expect(server.documents(index).get(`${vcon.uuid}_0`)).toEqual({ ...attachment, ...facts });
});

test("a part that such an index refuses is kept there as text, named in the whole vCon, and logged without content", async () => {
  await client.index({ index: "vcon_analysis_old", id: "old_0", document: { vcon_id: "old", body: "text" } });
  const vcon = analysed("old", "fits");
  const misfit = analysed("old", { mood: "confidential" });
  await storage.save(stored(vcon), call);
  await storage.saveMany?.([stored({ ...misfit, uuid: vcon.uuid }, 2), stored(misfit)], call);
  for (const { uuid } of [vcon, misfit]) {
    const part = server.documents("vcon_analysis_old").get(`${uuid}_0`);
    expect(part).toEqual({ vcon_id: uuid, refused_part: expect.stringContaining("confidential") });
    const refused = [`vcon_analysis_old/${uuid}_0: document_parsing_exception`];
    expect(server.documents("vcons").get(uuid)).toMatchObject({ refused });
    expect((await storage.load?.(uuid, call))?.analysis).toEqual(misfit.analysis);
  }
  expect(await found("vcon_analysis_old", { match: { refused_part: "confidential" } })).toHaveLength(2);
  expect(await found("vcons", { exists: { field: "refused" } })).toEqual(
    expect.arrayContaining([vcon.uuid, misfit.uuid]),
  );
  expect(warnings).toHaveLength(2);
  expect(warnings[1]).toMatchObject({
    index: "vcon_analysis_old",
    id: `${misfit.uuid}_0`,
    type: "document_parsing_exception",
  });
  expect(JSON.stringify(warnings)).not.toContain("confidential");
  await storage.save(stored(vcon, 3), call);
  expect(server.documents("vcons").get(vcon.uuid)).not.toHaveProperty("refused");
});

test("an index that takes nothing new is left out; an older version of the part does not stay there", async () => {
  const properties = {
    vcon_id: { type: "keyword" },
    type: { type: "keyword" },
    body: { type: "text" },
    encoding: { type: "keyword" },
  } as const;
  await client.indices.create({ index: "vcon_analysis_strict", mappings: { dynamic: "strict", properties } });
  const vcon = analysed("strict", "fits");
  await storage.save(stored(vcon), call);
  expect(server.documents("vcon_analysis_strict").size).toBe(1);
  const changed = analysed("strict", { mood: "good" });
  await storage.save(stored({ ...changed, uuid: vcon.uuid }, 2), call);
  expect(server.documents("vcon_analysis_strict").size).toBe(0);
  expect(server.documents("vcons").get(vcon.uuid)).toMatchObject({
    refused: [expect.stringContaining("vcon_analysis_strict")],
  });
  await storage.delete?.(vcon.uuid, call);
  expect(server.documents("vcons").has(vcon.uuid)).toBe(false);
});

test("known members of an unheard-of shape do not keep a vCon from being saved", async () => {
  const vcon = analysed("shaped", "text", {
    vendor: { name: "x" },
    _id: "1",
    "": 1,
    "a..b": 2,
    ["k".repeat(40_000)]: 3,
  });
  await storage.save(stored(vcon), call);
  expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  expect(server.documents("vcon_analysis_shaped").get(`${vcon.uuid}_0`)).toHaveProperty("refused_part");
});

test("two workers that see a new kind of part at once make one index", async () => {
  const others = await Promise.all(Array.from({ length: 4 }, () => openStorage(elasticsearch, { url: server.url })));
  await Promise.all(
    others.map((other, at) => other.save(stored(analysed("raced", at % 2 === 0 ? "text" : { at })), call)),
  );
  await Promise.all(others.map((other) => other.close?.()));
  expect(server.documents("vcon_analysis_raced").size).toBe(4);
  expect(server.mapping("vcon_analysis_raced")._meta).toEqual({ made_by: "vcon-server", version: 1 });
});
