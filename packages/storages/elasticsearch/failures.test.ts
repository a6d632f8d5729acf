import { type StorageHandle, VconError } from "@vcon-server/core";
import { openStorage, sampleVcon, stored } from "@vcon-server/core/testing";
import {
  ElasticError,
  type ElasticsearchOptions,
  type ElasticsearchServer,
  startElasticsearch,
} from "@vcon-server/core/testing/servers/elasticsearch";
import { expect, test } from "vitest";
import elasticsearch from "./index.ts";

const call = { signal: new AbortController().signal };
const down = { code: "VCON_STORAGE_DOWN", retryable: true };
const html = { status: 200, headers: { "content-type": "text/html" }, body: "<html>Welcome</html>" };

interface Setting {
  readonly server?: ElasticsearchOptions;
  readonly storage?: object;
}

/** A server of its own with a storage on it. */
async function withServer(
  { server: given = {}, storage: options = {} }: Setting,
  use: (server: ElasticsearchServer, storage: StorageHandle) => Promise<void>,
): Promise<void> {
  const server = await startElasticsearch(given);
  const storage = await openStorage(elasticsearch, { url: server.url, ...options });
  try {
    await use(server, storage);
  } finally {
    await storage.close?.();
    await server.stop();
  }
}

/** What each call of a storage fails with. */
async function failuresOf(storage: StorageHandle): Promise<unknown[]> {
  const vcon = sampleVcon();
  const results = [
    await storage.save(stored(vcon), call).catch((error: unknown) => error),
    await storage.saveMany?.([stored(vcon), stored(sampleVcon())], call).catch((error: unknown) => error),
    await storage.load?.(vcon.uuid, call).catch((error: unknown) => error),
    await storage.delete?.(vcon.uuid, call).catch((error: unknown) => error),
    await storage.check?.(call).catch((error: unknown) => error),
  ];
  return results;
}

test.each([
  [{ status: 429, body: '{"error":{"type":"es_rejected_execution_exception","reason":"busy"},"status":429}' }, /busy/],
  [{ status: 500 }, /500/],
  [{ status: 502, headers: { "content-type": "text/html" }, body: "<html>Bad gateway</html>" }, /502.*Bad gateway/],
  [{ status: 404, headers: { "content-type": "text/html" }, body: "<html>Nothing here</html>" }, /404/],
  [{ status: 404, body: '{"message":"no such route"}' }, /404/],
  [{ status: 401 }, /check api_key, or username and password/],
  [html, /not Elasticsearch/],
  [{ ...html, headers: { "x-elastic-product": "Elasticsearch", "content-type": "application/json" } }, /again/],
  [{ status: 200, headers: { "x-elastic-product": "Elasticsearch" }, body: "{}" }, /what was answered is no|not all/],
  [
    { status: 200, headers: { "x-elastic-product": "Elasticsearch" }, body: '{"items":[]}' },
    /what was answered is no|not all/,
  ],
  ["cut" as const, /again/],
])("every call answered with %o is an outage, never absence", async (fault, message) => {
  await withServer({}, async (server, storage) => {
    await storage.save(stored(sampleVcon()), call);
    server.failAfter(0, ...Array.from({ length: 50 }, () => fault));
    for (const error of await failuresOf(storage)) {
      expect(error).toMatchObject(down);
      expect(String(error)).toMatch(message);
    }
  });
});

test("a server that asks for patience says for how long", async () => {
  await withServer({}, async (server, storage) => {
    server.fail({ status: 429, headers: { "retry-after": "7" } });
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject({ ...down, retryAfterSecs: 7 });
  });
});

test("a server that hangs is left when the call's time is over, whatever it was asked", async () => {
  await withServer({}, async (server, storage) => {
    await storage.save(stored(sampleVcon()), call);
    const calls = [
      (signal: AbortSignal) => storage.save(stored(sampleVcon()), { signal }),
      (signal: AbortSignal) => storage.load?.(sampleVcon().uuid, { signal }),
      (signal: AbortSignal) => storage.delete?.(sampleVcon().uuid, { signal }),
      (signal: AbortSignal) => storage.check?.({ signal }),
    ];
    for (const run of calls) {
      const controller = new AbortController();
      const asked = server.requests.length;
      server.fail("hang");
      const running = expect(run(controller.signal)).rejects.toThrow("out of time");
      await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBeGreaterThan(asked);
      controller.abort(new Error("out of time"));
      await running;
    }
    await storage.check?.(call);
  });
});

test("after the server was away, the same storage works again as soon as it is back", async () => {
  await withServer({}, async (server, storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    await server.pause();
    for (const error of await failuresOf(storage)) expect(error).toMatchObject(down);
    await server.start();
    await storage.save(stored({ ...vcon, subject: "back" }, 2), call);
    expect((await storage.load?.(vcon.uuid, call))?.subject).toBe("back");
  });
});

test.each([
  ["8.19.0", undefined],
  ["9.5.0", undefined],
  ["8.5.0", undefined],
])("version %s of the server is understood", async (version) => {
  await withServer({ server: { version } }, async (_, storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    await storage.delete?.(vcon.uuid, call);
  });
});

test("user and password, or an API key, are what the server is asked with", async () => {
  const user = { username: "writer", password: "geheim" };
  await withServer({ server: { user }, storage: user }, (_, storage) => storage.save(stored(sampleVcon()), call));
  const key = { server: { apiKey: "a2V5" }, storage: { api_key: "a2V5" } };
  await withServer(key, (_, storage) => storage.save(stored(sampleVcon()), call));
});

test.each([{ username: "writer", password: "canary-4711" }, { api_key: "canary-4711" }])(
  "wrong credentials are an outage that shows none of them",
  async (wrong) => {
    const user = { username: "writer", password: "right" };
    await withServer({ server: { user, apiKey: "right" }, storage: wrong }, async (_, storage) => {
      for (const error of await failuresOf(storage)) {
        expect(error).toMatchObject({ ...down, details: { status: 401, type: "security_exception" } });
        expect(String(error)).toMatch(/unable to authenticate.*check api_key, or username and password/);
        expect(everythingIn(error)).not.toMatch(/canary-4711|Y2FuYXJ5|d3JpdGVyOm/);
      }
    });
  },
);

test("an error carries nothing of the documents that were on their way", async () => {
  await withServer({}, async (server, storage) => {
    await storage.save(stored(sampleVcon()), call);
    const doing: string[] = [];
    for (let well = 0; well < 3; well++) {
      server.failAfter(well, { status: 500 });
      const vcon = sampleVcon({ subject: "confidential" });
      const error = await storage.save(stored(vcon), call).catch((failure: unknown) => failure);
      expect(everythingIn(error)).not.toContain("confidential");
      expect(String(error)).toContain(vcon.uuid);
      doing.push(String(error).split(" ")[1] ?? "");
    }
    expect(doing).toEqual(["looking", "writing", "writing"]);
  });
});

/** An error with its causes and everything they carry. */
function everythingIn(error: unknown): string {
  const own = error instanceof Error ? Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name)) : [];
  return [
    String(error),
    ...own.map((value) => (value instanceof Error ? everythingIn(value) : JSON.stringify(value))),
  ].join();
}

test.each(["read", "write", "create_index", "view_index_metadata"] as const)(
  "without the privilege %s saving is an outage that says what is missing",
  async (privilege) => {
    await withServer({}, async (server, storage) => {
      server.deny(privilege, /./);
      const saving = storage.save(stored(sampleVcon()), call);
      await expect(saving).rejects.toMatchObject({ ...down, details: { status: 403 } });
      await expect(saving).rejects.toThrow(/is unauthorized for user.*privileges that the README/);
    });
  },
);

test.each([
  ["flood-stage", /make room/],
  ["read-only", /lift the block/],
] as const)("an index blocked as %s is an outage; reading goes on, and it ends by itself", async (block, remedy) => {
  await withServer({}, async (server, storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    for (const index of server.indices()) server.block(index, block);
    const calls = [
      () => storage.save(stored(vcon), call),
      () => storage.delete?.(vcon.uuid, call),
      () => storage.check?.(call),
    ];
    for (const run of calls) {
      const failing = Promise.resolve(run());
      await expect(failing).rejects.toMatchObject(down);
      await expect(failing).rejects.toThrow(remedy);
    }
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    for (const index of server.indices()) server.block(index, undefined);
    await storage.check?.(call);
    await storage.save(stored(vcon), call);
  });
});

test("a closed index, a full cluster and an index that may not be made are outages of the cluster, not faults of the vCon", async () => {
  await withServer({}, async (server, storage) => {
    await storage.save(stored(sampleVcon()), call);
    server.close("vcon_dialog");
    const vcon = sampleVcon();
    await expect(storage.save(stored(vcon), call)).rejects.toMatchObject(down);
    await expect(storage.save(stored(vcon), call)).rejects.toThrow(/open the index/);
    server.close("vcon_dialog", false);
    await storage.save(stored(vcon), call);
  });
  await withServer({ server: { maxShards: 2 } }, async (_, storage) => {
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject(down);
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toThrow(/max_shards_per_node/);
  });
  await withServer({ server: { autoCreate: false } }, async (server, storage) => {
    await storage.save(stored(sampleVcon()), call);
    server.remove("vcon_dialog");
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject(down);
    await storage.save(stored(sampleVcon()), call);
    expect(server.documents("vcon_dialog").size).toBe(1);
  });
});

test("what one vCon of a batch fails with does not befall the others, and says which it is", async () => {
  await withServer({}, async (server, storage) => {
    const [good, busy, bad] = [sampleVcon(), sampleVcon(), sampleVcon()];
    server.failItems(({ id }) =>
      id.startsWith(busy.uuid) ? new ElasticError(429, "es_rejected_execution_exception", "busy") : undefined,
    );
    const details = { failed: [busy.uuid] };
    // not to be repeated as it is: the dispatcher goes on one by one
    const oneByOne = { code: "VCON_STORAGE_DOWN", retryable: false, details };
    await expect(storage.saveMany?.([stored(good), stored(busy)], call)).rejects.toMatchObject(oneByOne);
    expect(await storage.load?.(good.uuid, call)).toEqual(good);
    await expect(storage.save(stored(busy), call)).rejects.toMatchObject(down);
    server.failItems(({ id }) =>
      id === bad.uuid ? new ElasticError(400, "illegal_argument_exception", "odd") : undefined,
    );
    const refused = { code: "VCON_STORAGE_REFUSED", retryable: false };
    await expect(storage.saveMany?.([stored(good), stored(bad)], call)).rejects.toMatchObject({
      ...refused,
      details: { failed: [bad.uuid] },
    });
    await expect(storage.save(stored(bad), call)).rejects.toMatchObject(refused);
    server.failItems(() => new ElasticError(503, "unavailable_shards_exception", "no primary"));
    await expect(storage.saveMany?.([stored(good), stored(busy)], call)).rejects.toMatchObject(down);
  });
});

test("a batch is sent in requests of the size that is configured, and in smaller ones when the server says so", async () => {
  const vcons = Array.from({ length: 20 }, () => sampleVcon({ subject: "x".repeat(2_000) }));
  const saveAll = async (server: ElasticsearchServer, storage: StorageHandle) => {
    await storage.saveMany?.(
      vcons.map((vcon) => stored(vcon)),
      call,
    );
    for (const vcon of vcons) expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    return server.requests.filter(({ url }) => url.pathname === "/_bulk").map(({ bytes }) => bytes.length);
  };
  await withServer({ storage: { max_bulk_bytes: 20_000 } }, async (server, storage) => {
    const sizes = await saveAll(server, storage);
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(20_000);
  });
  await withServer({ server: { maxContentLength: 9_000 } }, async (server, storage) => {
    const sizes = (await saveAll(server, storage)).filter((size) => size <= 9_000);
    expect(sizes.length).toBeGreaterThan(5);
  });
});

test("a vCon that is larger than the server takes is refused, with what to do", async () => {
  await withServer({ server: { maxContentLength: 20_000 } }, async (_, storage) => {
    const large = sampleVcon({ subject: "x".repeat(30_000) });
    await expect(storage.save(stored(large), call)).rejects.toMatchObject({
      code: "VCON_STORAGE_REFUSED",
      details: { status: 413 },
    });
    await expect(storage.save(stored(large), call)).rejects.toThrow(/http\.max_content_length/);
  });
});

test("a part alone that is too large is left out, and the vCon is saved", async () => {
  await withServer({ server: { maxContentLength: 20_000 } }, async (server, storage) => {
    const vcon = sampleVcon({ analysis: [{ type: "long", body: "x".repeat(15_000), encoding: "none" }] });
    await storage.save(stored(vcon), call);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    expect(server.documents("vcons").get(vcon.uuid)).toMatchObject({
      refused: [expect.stringContaining("vcon_analysis_long")],
    });
  });
});

test("a document that holds no vCon is damage", async () => {
  await withServer({}, async (server, storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    for (const document of [{ json: "{" }, { json: 7 }, {}]) {
      await fetch(`${server.url}/vcons/_doc/${vcon.uuid}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(document),
      });
      const error = await storage.load?.(vcon.uuid, call).catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(VconError);
      expect(error).toMatchObject({ code: "VCON_STORAGE_DAMAGED", retryable: false });
    }
  });
});
