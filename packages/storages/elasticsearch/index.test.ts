import { Client } from "@elastic/elasticsearch";
import type { StorageHandle } from "@vcon-server/core";
import { fixtureVcons, openStorage, sampleVcon, stored, testStorage } from "@vcon-server/core/testing";
import {
  ElasticError,
  type ElasticsearchServer,
  startElasticsearch,
} from "@vcon-server/core/testing/servers/elasticsearch";
import { parseVcon, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import elasticsearch from "./index.ts";

let server: ElasticsearchServer;
let client: Client;
beforeAll(async () => {
  server = await startElasticsearch();
  client = new Client({ node: server.url });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

const call = { signal: new AbortController().signal };
let prefixes = 0;

/** A storage with indices of its own. */
async function withStorage<T>(
  use: (storage: StorageHandle, prefix: string) => Promise<T>,
  options: object = {},
): Promise<T> {
  const prefix = `t${prefixes++}_`;
  const storage = await openStorage(elasticsearch, { url: server.url, index_prefix: prefix, ...options });
  try {
    return await use(storage, prefix);
  } finally {
    await storage.close?.();
  }
}

/** Documents of parts and wholes by `index/id`, without the prefix. */
const everything = (prefix: string) =>
  Object.fromEntries(
    server
      .indices()
      .filter((index) => index.startsWith(prefix))
      .flatMap((index) =>
        [...server.documents(index)].map(([id, doc]) => [`${index.slice(prefix.length)}/${id}`, doc]),
      ),
  );

testStorage("elasticsearch", () => openStorage(elasticsearch, { url: server.url, index_prefix: "suite_" }), {
  unreachable: () => openStorage(elasticsearch, { url: "http://127.0.0.1:1" }),
});

test("parts are documents in the indices of the Python server, with its ids and members", async () => {
  const vcon = sampleVcon({
    parties: [{ tel: "+12025550123", role: "Agent" }, { name: "Bob" }],
    dialog: [{ type: "text", start: "2026-01-02T03:04:05Z", body: "hello", encoding: "none" }],
    analysis: [{ type: "Summary", body: '{"mood":"good"}', encoding: "json" }],
    attachments: [
      { type: "tenant", purpose: "other", body: '{"id":42}', encoding: "json" },
      { purpose: "tags", body: '["queue:sales"]', encoding: "json" },
      { body: "x", encoding: "none" },
    ],
  });
  const { uuid } = vcon;
  await withStorage(async (storage, prefix) => {
    await storage.save(stored(vcon), call);
    const facts = { vcon_id: uuid, started_at: "2026-01-02T03:04:05Z", tenant_id: 42 };
    const documents = everything(prefix);
    expect(Object.keys(documents).toSorted()).toEqual(
      [
        `vcon_analysis_summary/${uuid}_0`,
        `vcon_attachments_tags/${uuid}_1`,
        `vcon_attachments_tenant/${uuid}_0`,
        `vcon_attachments_unknown/${uuid}_2`,
        `vcon_dialog/${uuid}_0`,
        `vcon_parties/${uuid}_1`,
        `vcon_parties_agent/${uuid}_0`,
        `vcons/${uuid}`,
      ].toSorted(),
    );
    expect(documents[`vcon_parties_agent/${uuid}_0`]).toMatchObject({ tel: "+12025550123", role: "Agent", ...facts });
    expect(documents[`vcon_analysis_summary/${uuid}_0`]).toMatchObject({
      type: "Summary",
      body: { mood: "good" },
      encoding: "json",
      ...facts,
    });
    expect(documents[`vcon_attachments_tags/${uuid}_1`]).toMatchObject({ body: ["queue:sales"], ...facts });
    expect(documents[`vcon_dialog/${uuid}_0`]).toMatchObject({ body: "hello", ...facts });
  });
});

test("a vCon without dialog is indexed, and odd members are no obstacle", async () => {
  const odd = parseVcon(
    `{"uuid":"${sampleVcon().uuid}","created_at":"in May","dialog":{},"parties":[null,7,{"role":{"a":1}},{"role":"","name":["x",{"y":1}]}],
      "attachments":[{"type":"tenant","body":"{no json","encoding":"json"}],"analysis":[{"encoding":"json"},{"type":12345678901234567890,"body":1e400}]}`,
  );
  const bare: Vcon = { uuid: sampleVcon().uuid, parties: [{ tel: "+12025550123" }] };
  await withStorage(async (storage, prefix) => {
    await storage.saveMany?.([stored(odd), stored(bare)], call);
    expect(await storage.load?.(odd.uuid, call)).toEqual(odd);
    expect(await storage.load?.(bare.uuid, call)).toEqual(bare);
    expect(Object.keys(everything(prefix))).toEqual(
      expect.arrayContaining([
        `vcon_parties/${bare.uuid}_0`,
        `vcon_parties/${odd.uuid}_2`,
        `vcon_attachments_tenant/${odd.uuid}_0`,
        `vcon_analysis_unknown/${odd.uuid}_0`,
      ]),
    );
  });
});

test("where no index has been made yet, nothing is there and nothing needs deleting", async () => {
  await withStorage(async (storage, prefix) => {
    expect(await storage.load?.(sampleVcon().uuid, call)).toBeUndefined();
    await storage.delete?.(sampleVcon().uuid, call);
    expect(server.indices().filter((index) => index.startsWith(prefix))).toEqual([]);
  });
});

test("a signed vCon is kept whole and has no parts", async () => {
  const [signed] = fixtureVcons()
    .map(({ vcon }) => vcon)
    .filter((vcon) => "signatures" in vcon);
  await withStorage(async (storage, prefix) => {
    await storage.save(stored(signed!), call);
    expect(await storage.load?.(signed!.uuid, call)).toEqual(signed);
    expect(Object.keys(everything(prefix))).toEqual([`vcons/${signed!.uuid}`]);
  });
});

test("parts that a vCon has no more are removed at once, also when their role or type changed", async () => {
  const vcon = sampleVcon({
    parties: [{ name: "Ann", role: "agent" }, { name: "Bob" }],
    analysis: [{ type: "draft", body: "x", encoding: "none" }],
  });
  const { analysis: _, ...shorter } = { ...vcon, parties: [{ name: "Ann", role: "supervisor" }] };
  await withStorage(async (storage, prefix) => {
    await storage.save(stored(vcon, 1), call);
    await storage.save(stored(shorter, 2), call);
    const { uuid } = vcon;
    const left = [`vcon_dialog/${uuid}_0`, `vcon_parties_supervisor/${uuid}_0`, `vcons/${uuid}`];
    expect(Object.keys(everything(prefix)).toSorted()).toEqual(left);
    expect(everything(prefix)[`vcons/${uuid}`]).toMatchObject({
      parts: [`${prefix}${left[1]}`, `${prefix}${left[0]}`],
    });
  });
});

test.each([
  ["request", "of a longer version"],
  ["item", "of a longer version"],
  ["request", "of a shorter version"],
  ["item", "of a shorter version"],
])(
  "whatever %s of a save %s fails, the next save leaves nothing behind that is not the vCon's",
  async (kind, which) => {
    const long = sampleVcon({ analysis: [{ type: "draft", body: "x", encoding: "none" }] });
    const { analysis: _, ...short } = long;
    const [before, failing] = which === "of a longer version" ? [short, long] : [long, short];
    await withStorage(async (storage, prefix) => {
      let saved = false;
      for (let well = 0; !saved; well++) {
        await storage.save(stored(before, 1), call);
        let items = 0;
        if (kind === "request") server.failAfter(well, { status: 503 });
        else
          server.failItems(() =>
            items++ === well ? new ElasticError(429, "es_rejected_execution_exception", "") : undefined,
          );
        saved = await storage.save(stored(failing, 2), call).then(
          () => true,
          () => false,
        );
        server.failAfter(0);
        server.failItems(() => undefined);
        await storage.save(stored(short, 3), call);
        const left = ["vcon_dialog/_0", "vcon_parties/_0", "vcon_parties/_1", "vcons/"];
        const found = Object.keys(everything(prefix)).map((key) => key.replace(long.uuid, ""));
        expect(found.toSorted(), `after ${well} good ones`).toEqual(left);
        expect(well).toBeLessThan(20);
      }
    });
  },
);

test("whatever request of a delete fails, the vCon can be deleted again without a trace", async () => {
  const vcon = sampleVcon();
  await withStorage(async (storage, prefix) => {
    let deleted = false;
    for (let well = 0; !deleted; well++) {
      await storage.save(stored(vcon), call);
      server.failAfter(well, { status: 503 });
      deleted =
        (await storage.delete?.(vcon.uuid, call).then(
          () => true,
          () => false,
        )) === true;
      server.failAfter(0);
      await storage.delete?.(vcon.uuid, call);
      expect(everything(prefix), `after ${well} good ones`).toEqual({});
      expect(well).toBeLessThan(20);
    }
  });
});

test("deleting removes parts that nobody listed, and nothing of a vCon that shares a piece of the uuid", async () => {
  const [mine, other] = [sampleVcon(), sampleVcon()];
  const shared = { ...other, uuid: `${mine.uuid.slice(0, 24)}${other.uuid.slice(24)}` as Vcon["uuid"] };
  await withStorage(async (storage, prefix) => {
    await storage.save(stored(shared), call);
    const index = `${prefix}vcon_attachments_old`;
    for (const vcon of [mine, shared]) {
      await client.index({ index, id: `${vcon.uuid}_0`, document: { vcon_id: vcon.uuid, body: "by another server" } });
    }
    await client.indices.refresh({ index: `${prefix}*` });
    await storage.delete?.(mine.uuid, call);
    expect(Object.keys(everything(prefix)).filter((key) => key.includes(mine.uuid))).toEqual([]);
    expect(Object.keys(everything(prefix)).filter((key) => key.includes(shared.uuid))).toHaveLength(5);
    await storage.delete?.(shared.uuid, call);
    expect(everything(prefix)).toEqual({});
  });
});

test.each([
  [false, 0],
  [true, 1],
  ["wait_for", 1],
])("with refresh: %s a search finds %i documents at once", async (refresh, count) => {
  await withStorage(
    async (storage, prefix) => {
      const vcon = sampleVcon();
      await storage.save(stored(vcon), call);
      const query = { term: { vcon_id: vcon.uuid } };
      const found = await client.search({ index: `${prefix}vcon_dialog`, query });
      expect(found.hits.hits).toHaveLength(count);
    },
    { refresh },
  );
});

test("whole vCons can be searched by subject and date, and their index may have another name", async () => {
  await withStorage(
    async (storage, prefix) => {
      const vcon = sampleVcon({ subject: "Parcel never came" });
      await storage.save(stored(vcon), call);
      const query = {
        bool: { must: [{ match: { subject: "parcel" } }, { term: { created_at: "2026-01-02T03:04:05Z" } }] },
      };
      const found = await client.search({ index: `${prefix}vcon_index`, query });
      expect(found.hits.hits.map(({ _id }) => _id)).toEqual([vcon.uuid]);
    },
    { refresh: true, index: "vcon_index" },
  );
});

test.each([
  ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"],
  ["Mon, 14 Sep 2026 10:30:00 +0200 (CEST)", "2026-09-14T08:30:00Z"],
  ["2026-09-14 08:30:00", "2026-09-14T08:30:00Z"],
  ["2026-09-14T10:30:00+02:00", "2026-09-14T10:30:00+02:00"],
  ["in May", "in May"],
])("a vCon of %s is searched as %s and comes back as it was", async (date, searched) => {
  await withStorage(
    async (storage, prefix) => {
      const vcon = sampleVcon({ created_at: date, dialog: [{ type: "recording", start: date }] });
      await storage.save(stored(vcon), call);
      const found = await client.get<Record<string, string>>({ index: `${prefix}vcon_index`, id: vcon.uuid });
      expect(found._source).toMatchObject({ created_at: searched, started_at: searched });
      expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    },
    { refresh: true, index: "vcon_index" },
  );
});

test("a batch with the same vCon twice keeps the newest revision", async () => {
  await withStorage(async (storage) => {
    const vcon = sampleVcon({ subject: "old" });
    await storage.saveMany?.([stored({ ...vcon, subject: "new" }, 3), stored(vcon, 2)], call);
    expect((await storage.load?.(vcon.uuid, call))?.subject).toBe("new");
  });
});

test("every vCon of the fixtures comes back as it was, signed and encrypted ones too", async () => {
  const vcons = fixtureVcons().map(({ vcon }) => vcon);
  expect(vcons.length).toBeGreaterThan(10);
  await withStorage(async (storage) => {
    await storage.saveMany?.(
      vcons.map((vcon) => stored(vcon)),
      call,
    );
    for (const vcon of vcons) expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test("whatever is in the four arrays, it is saved and comes back as it was", { timeout: 60_000 }, async () => {
  const part = fc.dictionary(
    fc.oneof(
      fc.constantFrom("type", "role", "purpose", "body", "encoding", "start", "name", "__proto__", "", "."),
      fc.string(),
    ),
    fc.jsonValue({ depthSize: "medium" }),
  );
  await withStorage(async (storage) => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), fc.jsonValue(), async (parts, other) => {
        const lists = { parties: parts, dialog: parts, analysis: parts, attachments: [...parts, other] };
        const vcon = parseVcon(JSON.stringify({ uuid: sampleVcon().uuid, ...lists }).replaceAll("\\u0000", "0"));
        await storage.save(stored(vcon), call);
        expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
      }),
      { numRuns: 40 },
    );
  });
});
