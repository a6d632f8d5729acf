import * as sdk from "@aws-sdk/client-s3";
import type { Logger, StorageHandle } from "@vcon-server/core";
import { openStorage, sampleVcon, stored, testStorage } from "@vcon-server/core/testing";
import type { S3Server } from "@vcon-server/core/testing/servers/s3";
import { serialize, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import s3 from "../index.ts";

export const call = { signal: new AbortController().signal };

/** Options that reach a server; `more` replaces or adds. */
export const optionsFor = (server: S3Server, more: Readonly<Record<string, unknown>> = {}) => ({
  aws_bucket: server.bucket,
  aws_access_key_id: server.accessKeyId,
  aws_secret_access_key: server.secretAccessKey,
  endpoint_url: server.endpoint,
  ...more,
});

/** Opens the storage for one test. */
export async function withS3<T>(
  options: Readonly<Record<string, unknown>>,
  use: (storage: StorageHandle) => Promise<T>,
  log?: Logger,
): Promise<T> {
  const storage = await openStorage(s3, options, { ...(log && { log }) });
  try {
    return await use(storage);
  } finally {
    await storage.close?.();
  }
}

/** What another program sees in the bucket. */
export interface Onlooker {
  /** Every key below a prefix, in order. */
  keys(prefix?: string): Promise<string[]>;
  read(key: string): Promise<{ text: string; type: string | undefined; metadata: Record<string, string> }>;
  write(key: string, text: string): Promise<void>;
  remove(key: string): Promise<void>;
  close(): void;
}

export function onlookerOf({ endpoint, accessKeyId, secretAccessKey, bucket: Bucket }: S3Server): Onlooker {
  const client = new sdk.S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  return {
    async keys(Prefix = "") {
      const { Contents = [] } = await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.map(({ Key = "" }) => Key).toSorted();
    },
    async read(Key) {
      const { Body, ContentType, Metadata = {} } = await client.send(new sdk.GetObjectCommand({ Bucket, Key }));
      return { text: (await Body?.transformToString()) ?? "", type: ContentType, metadata: Metadata };
    },
    async write(Key, Body) {
      await client.send(new sdk.PutObjectCommand({ Bucket, Key, Body: Buffer.from(Body) }));
    },
    async remove(Key) {
      await client.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
    },
    close: () => client.destroy(),
  };
}

const LAST_DAY = { created_at: "2025-12-31T23:30:00-05:00" };

/** What the storage must show on every S3 service, the light one of each run and a real one. */
export function testS3(name: string, launch: () => Promise<S3Server>): void {
  let server: S3Server;
  let onlooker: Onlooker;
  beforeAll(async () => {
    server = await launch();
    onlooker = onlookerOf(server);
  });
  afterAll(async () => {
    onlooker.close();
    await server.stop();
  });
  const subject = { server: () => server, onlooker: () => onlooker };

  testStorage(name, () => openStorage(s3, optionsFor(server)), {
    unreachable: () => openStorage(s3, optionsFor(server, { endpoint_url: "http://127.0.0.1:1" })),
  });
  describe(`${name}: what is in the bucket`, () => {
    testLayout(subject);
    testMoves(subject);
  });
  describe(`${name}: faults`, () => testFaults(subject));
}

interface Subject {
  server(): S3Server;
  onlooker(): Onlooker;
}

function testLayout({ server, onlooker }: Subject): void {
  test("keys and content are those of the Python server, by the day as it is written in created_at", async () => {
    const [vcon, undated] = [sampleVcon(LAST_DAY), sampleVcon({ created_at: "soon" })];
    await withS3(optionsFor(server(), { s3_path: "archive/2" }), async (storage) => {
      for (const one of [vcon, undated]) await storage.save(stored(one), call);
      expect(await storage.load?.(undated.uuid, call)).toEqual(undated);
    });
    const keys = [
      `archive/2/2025/12/31/${vcon.uuid}.vcon`,
      `archive/2/lookup/${vcon.uuid}.txt`,
      `archive/2/1970/01/01/${undated.uuid}.vcon`,
      `archive/2/lookup/${undated.uuid}.txt`,
    ] as const;
    expect(await onlooker().keys("archive/2/")).toEqual(keys.toSorted());
    expect(await onlooker().read(keys[0])).toEqual({ text: serialize(vcon), type: "application/json", metadata: {} });
    expect(await onlooker().read(keys[1])).toEqual({ text: "2025/12/31", type: "text/plain", metadata: {} });
  });

  test("without a path, keys begin with the day", async () => {
    const vcon = sampleVcon(LAST_DAY);
    await withS3(optionsFor(server()), (storage) => storage.save(stored(vcon), call));
    expect(await onlooker().keys("2025/12/31/")).toEqual([`2025/12/31/${vcon.uuid}.vcon`]);
    expect((await onlooker().read(`lookup/${vcon.uuid}.txt`)).text).toBe("2025/12/31");
  });

  test("what the Python server has written is read, moved and deleted", async () => {
    const vcon = sampleVcon();
    const put = async () => {
      await onlooker().write(`python/2026/01/02/${vcon.uuid}.vcon`, JSON.stringify(vcon, undefined, 1));
      await onlooker().write(`python/lookup/${vcon.uuid}.txt`, "2026/01/02");
    };
    await withS3(optionsFor(server(), { s3_path: "python" }), async (storage) => {
      await put();
      expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
      await storage.save(stored({ ...vcon, ...LAST_DAY }, 2), call);
      expect(await onlooker().keys("python/2")).toEqual([`python/2025/12/31/${vcon.uuid}.vcon`]);
      await storage.delete?.(vcon.uuid, call);
      await put();
      await storage.delete?.(vcon.uuid, call);
    });
    expect(await onlooker().keys("python/")).toEqual([]);
  });

  test("a path may hold what has to be written otherwise in an address", async () => {
    const path = "vCons für Ä+B & C%20 (1)'~";
    const vcon = sampleVcon();
    await withS3(optionsFor(server(), { s3_path: path }), async (storage) => {
      await storage.save(stored(vcon), call);
      expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
      expect(await onlooker().keys(path)).toHaveLength(2);
      await storage.delete?.(vcon.uuid, call);
      expect(await onlooker().keys(path)).toEqual([]);
    });
  });

  test("check() proves that writing and removing work, and leaves nothing behind", async () => {
    await withS3(optionsFor(server(), { s3_path: "checked" }), async (storage) => {
      await storage.check?.(call);
      expect(await onlooker().keys("checked")).toEqual([]);
    });
  });
}

function testMoves({ server, onlooker }: Subject): void {
  test("whatever is saved, moved and deleted, there is one object a vCon with one pointer, and it is the last", async () => {
    const step = fc.record({
      uuid: fc.nat(2),
      created_at: fc.constantFrom("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "never"),
      deletes: fc.boolean(),
    });
    let run = 0;
    const oneRun = async (steps: readonly { uuid: number; created_at: string; deletes: boolean }[]) => {
      const path = `moves/${run++}`;
      const uuids = [0, 1, 2].map(() => sampleVcon().uuid);
      const model = new Map<string, Vcon>();
      await withS3(optionsFor(server(), { s3_path: path }), async (storage) => {
        for (const [rev, { uuid: index, created_at, deletes }] of steps.entries()) {
          const uuid = uuids[index]!;
          const vcon = sampleVcon({ uuid, created_at, subject: `${rev}` });
          await (deletes ? storage.delete?.(uuid, call) : storage.save(stored(vcon, rev + 1), call));
          if (deletes) model.delete(uuid);
          else model.set(uuid, vcon);
        }
        for (const uuid of uuids) expect(await storage.load?.(uuid, call)).toEqual(model.get(uuid));
      });
      expect(await onlooker().keys(`${path}/`)).toHaveLength(model.size * 2);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 10 }), oneRun), { numRuns: 20 });
  });
}

function testFaults({ server, onlooker }: Subject): void {
  test("a bucket that is missing is an outage that says what to do, for every call, and never absence", async () => {
    await withS3(optionsFor(server(), { aws_bucket: "not-made" }), async (storage) => {
      const vcon = sampleVcon();
      const calls = [
        () => storage.save(stored(vcon), call),
        () => storage.load?.(vcon.uuid, call),
        () => storage.delete?.(vcon.uuid, call),
        () => storage.check?.(call),
      ];
      for (const run of calls) {
        await expect(run()).rejects.toMatchObject({
          code: "VCON_STORAGE_DOWN",
          message: expect.stringMatching(/NoSuchBucket.*make the bucket/s),
          details: { code: "NoSuchBucket", status: 404 },
        });
      }
    });
  });

  const GARBAGE = ["", "../../etc", "2026/02/30", "2026/1/2", "<html>", "2026/01/02/x", "\0", "9".repeat(1000)];
  test.each(GARBAGE)(
    "a pointer that holds %j is damage, is not followed, and is put right by the next save",
    async (text) => {
      const vcon = sampleVcon();
      const key = `garbage/lookup/${vcon.uuid}.txt`;
      await withS3(optionsFor(server(), { s3_path: "garbage" }), async (storage) => {
        await onlooker().write(key, text);
        const damage = { code: "VCON_STORAGE_DAMAGED", message: expect.stringContaining(key) };
        await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject(damage);
        await expect(storage.delete?.(vcon.uuid, call)).rejects.toMatchObject(damage);
        await storage.save(stored(vcon), call);
        expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
      });
    },
  );

  test.each(["", "{", "[]", "<html></html>", "\u0000", "null"])("an object that holds %j is damage", async (text) => {
    const vcon = sampleVcon();
    await withS3(optionsFor(server()), async (storage) => {
      await storage.save(stored(vcon), call);
      await onlooker().write(`2026/01/02/${vcon.uuid}.vcon`, text);
      await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject({ code: "VCON_STORAGE_DAMAGED" });
      await storage.save(stored(vcon), call);
      expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    });
  });

  test("a pointer whose object is gone is damage, not absence; deleting and saving put it right", async () => {
    const vcon = sampleVcon();
    await withS3(optionsFor(server()), async (storage) => {
      for (const repair of [() => storage.save(stored(vcon), call), () => storage.delete?.(vcon.uuid, call)]) {
        await storage.save(stored(vcon), call);
        await onlooker().remove(`2026/01/02/${vcon.uuid}.vcon`);
        await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject({ code: "VCON_STORAGE_DAMAGED" });
        await repair();
      }
      expect(await storage.load?.(vcon.uuid, call)).toBeUndefined();
    });
  });

  test("after the service was away, the same storage works again as soon as it is back", async () => {
    const vcon = sampleVcon();
    await withS3(optionsFor(server()), async (storage) => {
      await storage.save(stored(vcon), call);
      await server().pause();
      const outage = { code: "VCON_STORAGE_DOWN", retryable: true };
      await expect(storage.save(stored(vcon, 2), call)).rejects.toMatchObject(outage);
      await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject(outage);
      await server().start();
      expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
      await storage.save(stored(vcon, 2), call);
    });
  });
}
