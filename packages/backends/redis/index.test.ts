import { silent } from "@vcon-server/core";
import { backendConformance, type OpenBackend } from "@vcon-server/core/backend/conformance";
import { type RedisGroup, type RedisServer, startCluster, startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll } from "vitest";
import { openRedisBackend } from "./index.ts";

let server: RedisServer;
let cluster: RedisGroup;

beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startCluster()]);
});
afterAll(async () => {
  await Promise.all([server?.stop(), cluster?.stop()]);
});

/** An empty store: what a former part of the suite left is flushed. */
const opener =
  (of: () => { readonly url: string; readonly servers: readonly RedisServer[] }): OpenBackend =>
  async ({ leaseMs } = {}) => {
    const { url, servers } = of();
    for (const { cli } of servers) await cli("flushall");
    const open = () => openRedisBackend({ url, log: silent, ...(leaseMs !== undefined && { leaseMs }) });
    const backend = await open();
    return { backend, second: open, close: () => backend.close() };
  };

backendConformance(
  "redis, one server",
  opener(() => ({ url: server.url, servers: [server] })),
);
backendConformance(
  "redis, cluster of three masters",
  opener(() => cluster),
);
