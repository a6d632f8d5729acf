import { silent } from "@vcon-server/core";
import { engineConformance } from "@vcon-server/core/engine/conformance";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { openRedisBackend } from "./index.ts";

engineConformance("redis", async (options) => {
  const server = await startRedis();
  const connect = () => openRedisBackend({ url: server.url, log: silent, ...options });
  const backend = await connect();
  return {
    backend,
    second: connect,
    lose: async (uuid) => void (await server.cli("del", `vcon:${uuid}`)),
    async close() {
      await backend.close();
      await server.stop();
    },
  };
});
