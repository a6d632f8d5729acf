import { type Call, VconError } from "@vcon-server/core";
import { z } from "zod";
import type { OpenCollection } from "./collection.ts";
import type { Vector } from "./embed.ts";
import { isInvalid } from "./failures.ts";
import type { Limits, Row } from "./row.ts";
import { FIELD_NAMES } from "./schema.ts";

/** What is being done, for messages, and how long it may take. */
export interface Task {
  readonly doing: string;
  readonly call: Call;
}

const Id = z.looseObject({ id: z.string().regex(/^-?\d+$/), vcon_uuid: z.string() });
const Existing = Id.extend({ text: z.string(), embedding: z.array(z.number()) });

/** A row that is there. */
export type Existing = z.output<typeof Existing>;

/** The rows of a collection. Milvus gives the ids: a later row has a larger one. */
export interface Rows {
  /** Ids of the rows of each vCon, the newest first; a vCon without any is left out. */
  idsOf(task: Task, uuids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** With the columns that the collection is known to have. */
  get(task: Task, ids: readonly string[], known: Limits): Promise<readonly Existing[]>;
  /** Returns how often it was sent: what was sent again, because the connection broke, may be there twice. */
  insert(task: Task, rows: readonly (Row & { readonly embedding: Vector })[]): Promise<number>;
  delete(task: Task, ids: readonly string[]): Promise<void>;
}

interface Wanted {
  readonly filter: string;
  readonly output_fields: string[];
}

/** Strong: a read sees everything that was confirmed before it began. */
const STRONG = 0;
/** Ids in one expression. */
const MOST_IDS = 5_000;

export function rowsOf(collection: OpenCollection, collection_name: string): Rows {
  async function read<T>({ doing, call }: Task, wanted: Wanted, row: z.ZodType<T>): Promise<readonly T[]> {
    const answer = await collection.asked(doing, call, (client) =>
      client.query({ collection_name, ...wanted, consistency_level: STRONG }),
    );
    const parsed = z.array(row).safeParse(answer.data);
    if (parsed.success) return parsed.data;
    throw new VconError("VCON_STORAGE_DOWN", `${doing}: the answer holds no rows of vCons; check the collection`);
  }

  return {
    async idsOf(task, uuids) {
      const filter = `vcon_uuid in [${uuids.map((uuid) => JSON.stringify(uuid)).join()}]`;
      const rows = await read(task, { filter, output_fields: ["id", "vcon_uuid"] }, Id);
      const byUuid = Map.groupBy(rows, ({ vcon_uuid }) => vcon_uuid);
      return new Map([...byUuid].map(([uuid, own]) => [uuid, own.map(({ id }) => id).toSorted(newestFirst)]));
    },
    async get(task, ids, known) {
      if (ids.length === 0) return [];
      const output_fields = FIELD_NAMES.filter((name) => known.has(name));
      return read(task, { filter: `id in [${ids.join()}]`, output_fields }, Existing);
    },
    async insert({ doing, call }, rows) {
      if (rows.length === 0) return 0;
      const data = rows.map((row) => ({ ...row, embedding: [...row.embedding] }));
      let sent = 0;
      const ask = collection.asked(doing, call, (client) => {
        sent++;
        return client.insert({ collection_name, data, timeout: INSERT_MS });
      });
      const answer = await ask.catch((error: unknown) => {
        if (rows.length === 1 || !isInvalid(error)) throw error;
        // one row may be the culprit: refused as a batch, they are tried one by one
        throw new VconError("VCON_STORAGE_REFUSED", `${doing}: Milvus refuses the batch`, { cause: error });
      });
      if (Number(answer.insert_cnt) !== rows.length)
        throw new VconError("VCON_STORAGE_DOWN", `${doing}: ${answer.insert_cnt} of ${rows.length} rows were written`);
      return sent;
    },
    async delete({ doing, call }, ids) {
      for (let start = 0; start < ids.length; start += MOST_IDS) {
        const filter = `id in [${ids.slice(start, start + MOST_IDS).join()}]`;
        await collection.asked(doing, call, (client) => client.deleteEntities({ collection_name, filter }));
      }
    },
  };
}

/** Milliseconds; the client would wait a day of itself. */
const INSERT_MS = 60_000;

const newestFirst = (one: string, other: string): number => (BigInt(one) < BigInt(other) ? 1 : -1);
