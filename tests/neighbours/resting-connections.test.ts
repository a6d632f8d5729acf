import type { StorageHandle } from "@vcon-server/core";
import { fetchFrom, openStorage, sampleVcon, stored } from "@vcon-server/core/testing";
import { type CuttingProxy, startCuttingProxy } from "@vcon-server/core/testing/servers/cutting-proxy";
import { startElasticsearch } from "@vcon-server/core/testing/servers/elasticsearch";
import { startMilvus } from "@vcon-server/core/testing/servers/milvus";
import { startMongo } from "@vcon-server/core/testing/servers/mongo";
import { startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { startS3 } from "@vcon-server/core/testing/servers/s3";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import elasticsearch from "@vcon-server/storages/elasticsearch";
import milvus from "@vcon-server/storages/milvus";
import mongo from "@vcon-server/storages/mongo";
import postgres from "@vcon-server/storages/postgres";
import s3 from "@vcon-server/storages/s3";
import { expect, test } from "vitest";

interface Behind {
  readonly proxy: CuttingProxy;
  readonly storage: StorageHandle;
  stop(): Promise<void>;
}

const portOf = (url: string): number => Number(new URL(url).port);

async function openPostgres(): Promise<Behind> {
  const server = await startPostgres();
  const proxy = await startCuttingProxy(server.port);
  const storage = await openStorage(postgres, { url: `postgres://postgres@127.0.0.1:${proxy.port}/postgres` });
  return { proxy, storage, stop: server.stop };
}

async function openMongo(): Promise<Behind> {
  const server = await startMongo();
  const proxy = await startCuttingProxy(server.port);
  const storage = await openStorage(mongo, { url: `mongodb://127.0.0.1:${proxy.port}/` });
  return { proxy, storage, stop: () => server.stop() };
}

async function openElasticsearch(): Promise<Behind> {
  const server = await startElasticsearch();
  const proxy = await startCuttingProxy(portOf(server.url));
  const storage = await openStorage(elasticsearch, { url: `http://127.0.0.1:${proxy.port}` });
  return { proxy, storage, stop: () => server.stop() };
}

async function openS3(): Promise<Behind> {
  const server = await startS3();
  const proxy = await startCuttingProxy(portOf(server.endpoint));
  const storage = await openStorage(s3, {
    aws_bucket: server.bucket,
    aws_access_key_id: server.accessKeyId,
    aws_secret_access_key: server.secretAccessKey,
    endpoint_url: `http://127.0.0.1:${proxy.port}`,
  });
  return { proxy, storage, stop: () => server.stop() };
}

async function openMilvus(): Promise<Behind> {
  const server = await startMilvus();
  const proxy = await startCuttingProxy(server.port);
  const options = {
    host: "127.0.0.1",
    port: proxy.port,
    api_key: "sk-0123456789",
    embedding_dim: 8,
    create_collection_if_missing: true,
  };
  const fetch = fetchFrom(fakeOpenAi({ key: "sk-0123456789" }).answer);
  const storage = await openStorage(milvus, options, { fetch });
  return { proxy, storage, stop: () => server.stop() };
}

/** Storages behind a proxy that forgets connections which rest, as firewalls and load balancers do. */
test.each([
  ["postgres", openPostgres],
  ["mongo", openMongo],
  ["elasticsearch", openElasticsearch],
  ["s3", openS3],
  ["milvus", openMilvus],
])("%s: connections that were cut while they rested cost no call", async (_, open) => {
  const call = { signal: new AbortController().signal };
  const { proxy, storage, stop } = await open();
  const vcons = Array.from({ length: 12 }, (_, at) => sampleVcon({ subject: `call ${at}` }));
  const saveAll = () => Promise.all(vcons.map((vcon) => storage.save(stored(vcon), call)));
  try {
    await storage.check?.(call);
    await saveAll();
    proxy.forget();
    await saveAll();
    proxy.forget();
    await storage.saveMany?.(
      vcons.map((vcon) => stored({ ...vcon, subject: "again" }, 2)),
      call,
    );
    if (storage.load) {
      proxy.forget();
      const found = await Promise.all(vcons.map(({ uuid }) => storage.load?.(uuid, call)));
      expect(found.map((vcon) => vcon?.uuid)).toEqual(vcons.map(({ uuid }) => uuid));
    }
    proxy.forget();
    await Promise.all(vcons.map(({ uuid }) => storage.delete?.(uuid, call)));
  } finally {
    await storage.close?.();
    await proxy.stop();
    await stop();
  }
});
