import { setTimeout as sleep } from "node:timers/promises";
import { type Logger, VconError } from "@vcon-server/core";
import { z } from "zod";
import type { Connection } from "./connect.ts";
import { isMissing, isUnindexed } from "./failures.ts";
import type { MilvusOptions } from "./options.ts";
import type { Limits } from "./row.ts";
import { fieldsOf, indexOf } from "./schema.ts";

/** Milliseconds between questions whether a collection is loaded. */
const POLL_MS = 200;

export interface Preparing {
  readonly connection: Connection;
  readonly options: MilvusOptions;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Looks for the collection, makes what is missing where that is allowed, and loads it. Gives the limits of its columns. */
export async function prepare(task: Preparing): Promise<Limits> {
  const fields = await describe(task);
  checkFields(fields, task.options);
  await ensureIndex(task);
  await load(task);
  return new Map(fields.map(({ name, max_length = 0 }) => [name, max_length]));
}

const Described = z.looseObject({
  schema: z.looseObject({
    fields: z.array(
      z.looseObject({
        name: z.string(),
        data_type: z.string(),
        autoID: z.boolean().default(false),
        is_primary_key: z.boolean().default(false),
        dim: z.coerce.number().optional(),
        max_length: z.coerce.number().optional(),
      }),
    ),
  }),
});

type Field = z.output<typeof Described>["schema"]["fields"][number];

/** Without these, a collection holds no vCons. */
const NEEDED: Readonly<Record<string, (field: Field) => boolean>> = {
  id: ({ data_type, is_primary_key, autoID }) => data_type === "Int64" && is_primary_key && autoID,
  vcon_uuid: ({ data_type }) => data_type === "VarChar",
  text: ({ data_type }) => data_type === "VarChar",
  embedding: ({ data_type }) => data_type === "FloatVector",
};

const NO_FIELD: Field = { name: "", data_type: "None", autoID: false, is_primary_key: false };

async function describe(task: Preparing): Promise<readonly Field[]> {
  const { connection, signal } = task;
  const { collection_name, create_collection_if_missing: mayMake } = task.options;
  const doing = `looking for collection ${collection_name}`;
  const ask = () =>
    connection.asked(doing, signal, (client) => client.describeCollection({ collection_name, cache: false }));
  const found = await ask().catch(async (error: unknown) => {
    if (!isMissing(error)) throw error;
    if (!mayMake) throw down(`${doing}: there is none; create it, or set create_collection_if_missing: true`, error);
    await make(task);
    return ask();
  });
  const parsed = Described.safeParse(found);
  if (!parsed.success) throw down(`${doing}: the answer describes none; check the address`);
  return parsed.data.schema.fields;
}

async function make({ connection, options, log, signal }: Preparing): Promise<void> {
  const { collection_name, embedding_dim: dim } = options;
  await connection.asked(`making collection ${collection_name}`, signal, (client) =>
    client.createCollection({
      collection_name,
      description: "vCons, to be found by meaning",
      consistency_level: "Bounded",
      fields: fieldsOf(dim),
    }),
  );
  log.info("milvus: made the collection", { collection: collection_name, dim });
}

function checkFields(fields: readonly Field[], { collection_name, embedding_dim: dim }: MilvusOptions): void {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const unfit = Object.entries(NEEDED).filter(([name, fits]) => !fits(byName.get(name) ?? NO_FIELD));
  if (unfit.length > 0) {
    const names = unfit.map(([name]) => name).join(", ");
    throw down(
      `collection ${collection_name} is none of vCons: ${names} missing or of another kind; name another one as collection_name`,
    );
  }
  const found = byName.get("embedding")?.dim;
  if (found !== dim)
    throw down(
      `collection ${collection_name} holds vectors of ${found} numbers, embedding_dim is ${dim}: set embedding_dim and embedding_model to fit, or name another collection`,
    );
}

/** A process may have ended between making the collection and its index. */
async function ensureIndex({ connection, options, signal }: Preparing): Promise<void> {
  const { collection_name } = options;
  const here = { collection_name, field_name: "embedding" };
  const doing = `looking for the index of collection ${collection_name}`;
  try {
    await connection.asked(doing, signal, (client) => client.describeIndex(here));
  } catch (error) {
    if (!isUnindexed(error) || !options.create_collection_if_missing) throw error;
    await connection.asked(`making the index of collection ${collection_name}`, signal, (client) =>
      client.createIndex({ ...here, ...indexOf(options) }),
    );
  }
}

async function load({ connection, options, signal }: Preparing): Promise<void> {
  const here = { collection_name: options.collection_name };
  const doing = `loading collection ${options.collection_name}`;
  const state = async (): Promise<string> =>
    (await connection.asked(doing, signal, (client) => client.getLoadState(here))).state;
  const now = await state();
  if (now === "LoadStateLoaded") return;
  if (now !== "LoadStateLoading") await connection.asked(doing, signal, (client) => client.loadCollectionAsync(here));
  while ((await state()) !== "LoadStateLoaded") await sleep(POLL_MS, undefined, { signal });
}

export const down = (message: string, cause?: unknown): VconError =>
  new VconError("VCON_STORAGE_DOWN", message, cause === undefined ? {} : { cause });
