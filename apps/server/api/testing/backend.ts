import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import { readSettings } from "@vcon-server/core/config";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { connectBackend, ownBackend } from "../../compose.ts";

export const BACKENDS = ["embedded", "redis"] as const;
export type BackendKind = (typeof BACKENDS)[number];

export interface TestBackend {
  readonly backend: Backend;
  /** Writes a document as another program would, past the server. Only where other programs can. */
  writeRaw(uuid: string, text: string): Promise<void>;
  /** Sends a command past the server. Only where there is a Redis. */
  cli(...command: string[]): Promise<string>;
  close(): Promise<void>;
}

/** An empty store of its own, opened as the server opens it. */
export const openTestBackend = (kind: BackendKind): Promise<TestBackend> =>
  kind === "embedded" ? openOwnFile() : openOwnRedis();

async function openOwnFile(): Promise<TestBackend> {
  const dataDir = await mkdtemp(join(tmpdir(), "vcs-gateway-"));
  const env = { CONSERVER_DATA_DIR: dataDir, CONSERVER_SQLITE_SYNCHRONOUS: "normal" };
  const { settings } = readSettings(env, { cwd: dataDir });
  const owner = await ownBackend(settings, silent);
  const backend = await connectBackend(settings, silent);
  return {
    backend,
    writeRaw: () => Promise.reject(new Error("nobody else writes into the embedded database")),
    cli: () => Promise.reject(new Error("the embedded database takes no commands")),
    async close() {
      await backend.close();
      await owner?.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function openOwnRedis(): Promise<TestBackend> {
  const server = await startRedis();
  const { settings } = readSettings({ REDIS_URL: server.url }, { cwd: tmpdir() });
  const backend = await connectBackend(settings, silent);
  return {
    backend,
    writeRaw: async (uuid, text) => void (await server.cli("SET", `vcon:${uuid}`, text)),
    cli: server.cli,
    async close() {
      await backend.close();
      await server.stop();
    },
  };
}
