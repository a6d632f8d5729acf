import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbedded } from "@vcon-server/backends/embedded";
import { openRedisBackend } from "@vcon-server/backends/redis";
import { silent } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import { startRedis } from "@vcon-server/core/testing/servers/redis";

export const BACKENDS = ["embedded", "redis"] as const;
export type BackendKind = (typeof BACKENDS)[number];

export interface TestBackend {
  readonly backend: Backend;
  /** Writes a document as another program would, past the server. Only where other programs can. */
  writeRaw(uuid: string, text: string): Promise<void>;
  close(): Promise<void>;
}

/** An empty store of its own. */
export const openTestBackend = (kind: BackendKind): Promise<TestBackend> =>
  kind === "embedded" ? openOwnFile() : openOwnRedis();

async function openOwnFile(): Promise<TestBackend> {
  const dataDir = await mkdtemp(join(tmpdir(), "vcs-gateway-"));
  const backend = await openEmbedded({ dataDir, synchronous: "normal", log: silent });
  return {
    backend,
    writeRaw: () => Promise.reject(new Error("nobody else writes into the embedded database")),
    async close() {
      await backend.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function openOwnRedis(): Promise<TestBackend> {
  const server = await startRedis();
  const backend = await openRedisBackend({ url: server.url, log: silent });
  return {
    backend,
    writeRaw: async (uuid, text) => void (await server.cli("SET", `vcon:${uuid}`, text)),
    async close() {
      await backend.close();
      await server.stop();
    },
  };
}
