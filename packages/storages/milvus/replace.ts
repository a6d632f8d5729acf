import type { Call, Logger, StoredVcon } from "@vcon-server/core";
import { newestOf } from "../_shared/newest.ts";
import { type Embed, embeddingFailure, isUsable, type Vector } from "./embed.ts";
import type { MilvusOptions } from "./options.ts";
import { type Limits, type Row, rowOf } from "./row.ts";
import type { Existing, Rows, Task } from "./rows.ts";

/** What becomes of a vCon: no row, the row there is, or a new row with the vector there is or with a new one. */
export type Fate =
  | { readonly kind: "none" }
  | { readonly kind: "keep"; readonly id: string }
  | { readonly kind: "write"; readonly row: Row; readonly vector: Vector | undefined };

/** A vector is made once for a text and a model; one that nothing could be found by is made again. */
export function fateOf(row: Row | undefined, existing: Existing | undefined, dim: number): Fate {
  if (!row) return { kind: "none" };
  const sameText = existing?.text === row.text && sameAt("embedding_model", row, existing);
  if (!sameText || !isUsable(existing.embedding, dim)) return { kind: "write", row, vector: undefined };
  const same = Object.keys(row).every((name) => sameAt(name, row, existing));
  return same ? { kind: "keep", id: existing.id } : { kind: "write", row, vector: existing.embedding };
}

const sameAt = (name: string, row: object, existing: object): boolean =>
  Reflect.get(row, name) === Reflect.get(existing, name);

export interface Replacing {
  readonly rows: Rows;
  readonly limits: (call: Call) => Promise<Limits>;
  readonly embed: Embed;
  readonly options: Pick<MilvusOptions, "skip_if_exists" | "embedding_model" | "embedding_dim">;
  readonly log: Logger;
}

/** Makes one current row of each vCon, in which its newest revision counts. */
export type Replace = (docs: readonly StoredVcon[], call: Call) => Promise<void>;

export function replacerOf({ rows, limits, embed, options, log }: Replacing): Replace {
  const { skip_if_exists, embedding_model, embedding_dim: dim } = options;

  function fatesOf(docs: readonly StoredVcon[], existing: readonly Existing[], known: Limits): Fate[] {
    const byUuid = new Map(existing.map((row) => [row.vcon_uuid, row]));
    return docs.map(({ uuid, vcon }) => {
      const fate = fateOf(rowOf({ uuid, vcon, model: embedding_model }, known), byUuid.get(uuid), dim);
      if (fate.kind === "none") log.debug("milvus: there is no text to find the vCon by, so it gets no row", { uuid });
      return fate;
    });
  }

  async function write({ doing, call }: Task, fates: readonly Fate[]): Promise<number> {
    const written = fates.filter((fate) => fate.kind === "write");
    const texts = written.flatMap(({ row, vector }) => (vector ? [] : row.text));
    const made = await embed(`${doing}, making vectors`, texts, call.signal).catch((error: unknown) => {
      throw call.signal.aborted ? call.signal.reason : embeddingFailure(error, texts.length);
    });
    let next = 0;
    const complete = written.map(({ row, vector }) => ({ ...row, embedding: vector ?? made[next++] ?? [] }));
    return rows.insert({ doing, call }, complete);
  }

  return async (docs, call) => {
    const chosen = newestOf(docs);
    if (chosen.length === 0) return;
    const doing = chosen.length === 1 ? `saving ${chosen[0]?.uuid}` : `saving ${chosen.length} vCons`;
    const task = { doing, call };
    const known = await limits(call);
    const uuids = chosen.map(({ uuid }) => uuid);
    const found = await rows.idsOf(task, uuids);
    const newest = [...found.values()].flatMap(([id]) => id ?? []);
    const fates = fatesOf(chosen, skip_if_exists ? await rows.get(task, newest, known) : [], known);
    const sent = await write(task, fates);
    // new rows are there before old ones go: a crash in between leaves one too many, which the next save takes away
    const kept = new Set(fates.flatMap((fate) => (fate.kind === "keep" ? fate.id : [])));
    const old = [...found.values()].flat().filter((id) => !kept.has(id));
    await rows.delete(task, old);
    if (sent < 2) return;
    const doubled = await rows.idsOf(task, uuids);
    await rows.delete(
      task,
      [...doubled.values()].flatMap(([_newest, ...others]) => others),
    );
  };
}
