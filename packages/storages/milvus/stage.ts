import { isDeepStrictEqual } from "node:util";
import type { Logger, StorageHandle, StoredVcon } from "@vcon-server/core";
import { fetchFrom, openStorage } from "@vcon-server/core/testing";
import {
  type MilvusServer,
  type MilvusOptions as ServerOptions,
  startMilvus,
} from "@vcon-server/core/testing/servers/milvus";
import { type FakeOpenAi, fakeOpenAi, type OpenAiScript } from "@vcon-server/core/testing/services/openai";
import type { Vcon } from "@vcon-server/vcon";
import milvus from "./index.ts";
import { rowOf } from "./row.ts";
import { fieldsOf } from "./schema.ts";

export const KEY = "sk-canary-0123456789";
export const DIM = 8;
export const call = { signal: new AbortController().signal };

/** A server and a service for vectors, and storages on them. */
export interface Stage {
  readonly server: MilvusServer;
  readonly ai: FakeOpenAi;
  open(options?: Record<string, unknown>, log?: Logger): Promise<StorageHandle>;
  /** The rows of these vCons in the usual collection; all its rows when none is named. */
  rows(...vcons: readonly Pick<Vcon, "uuid">[]): ReturnType<MilvusServer["rows"]>;
  stop(): Promise<void>;
}

export async function setStage(options: ServerOptions = {}, script: OpenAiScript = {}): Promise<Stage> {
  const server = await startMilvus(options);
  const ai = fakeOpenAi({ key: KEY, ...script });
  const opened: StorageHandle[] = [];
  return {
    server,
    ai,
    async open(more = {}, log) {
      const usual = {
        host: "127.0.0.1",
        port: server.port,
        api_key: KEY,
        embedding_dim: DIM,
        create_collection_if_missing: true,
      };
      const storage = await openStorage(
        milvus,
        { ...usual, ...more },
        { fetch: fetchFrom(ai.answer), ...(log && { log }) },
      );
      opened.push(storage);
      return storage;
    },
    rows(...vcons) {
      const uuids = vcons.map(({ uuid }) => uuid);
      const all = server.rows("vcons");
      return uuids.length === 0 ? all : all.filter(({ vcon_uuid }) => uuids.some((uuid) => uuid === vcon_uuid));
    },
    async stop() {
      await Promise.all(opened.map((storage) => storage.close?.()));
      await server.stop();
    },
  };
}

const LIMITS = new Map(fieldsOf(DIM).map(({ name, max_length = 0 }) => [name, Number(max_length)]));

/** The columns that a vCon should have, vector and id aside; `undefined` when it should have no row. */
export const expectedRow = (vcon: Vcon) => rowOf({ uuid: vcon.uuid, vcon, model: "text-embedding-3-small" }, LIMITS);

/**
 * The same storage, which remembers what it was given: a row is no vCon, but it must be the row of one that was saved.
 * `look` gives the vCon whose row is there, alone, as the storage should have made it.
 */
export function remembering(storage: StorageHandle, server: MilvusServer) {
  const given = new Map<string, Vcon[]>();
  const remember = ({ uuid, vcon }: StoredVcon) => given.set(uuid, [...(given.get(uuid) ?? []), vcon]);
  const handle: StorageHandle = {
    ...storage,
    async save(doc, its) {
      await storage.save(doc, its);
      remember(doc);
    },
    async saveMany(docs, its) {
      await storage.saveMany?.(docs, its);
      docs.forEach(remember);
    },
  };
  const look = async (uuid: string): Promise<Vcon | undefined> => {
    const rows = server.rows("vcons").filter(({ vcon_uuid }) => vcon_uuid === uuid);
    if (rows.length > 1) throw new Error(`${rows.length} rows of ${uuid}`);
    const [found] = rows.map(({ id, embedding, ...columns }) => columns);
    return given.get(uuid)?.findLast((vcon) => isDeepStrictEqual(expectedRow(vcon), found));
  };
  return { handle, look };
}
