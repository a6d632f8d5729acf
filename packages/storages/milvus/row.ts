import { readDate, type Vcon, type VconUuid, writeDate } from "@vcon-server/vcon";
import { cut } from "./cut.ts";
import { hasSummary, hasTranscript, partyIdOf, readable, textAt, textOf, wordsOf } from "./text.ts";

/** What a row says of its vCon, besides the vector. */
export interface Columns {
  readonly vcon_uuid: string;
  readonly party_id: string;
  readonly text: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly subject: string;
  readonly metadata_title: string;
  readonly has_transcript: boolean;
  readonly has_summary: boolean;
  readonly party_count: number;
  readonly embedding_model: string;
  readonly embedding_version: string;
}

export type Column = keyof Columns;
/** The columns that a collection has, each within its limit. */
export type Row = Pick<Columns, "vcon_uuid" | "text"> & Partial<Columns>;

/** UTF-8 bytes the columns of a collection take; a column that is not named is not there. */
export type Limits = ReadonlyMap<string, number>;

const VERSION = "1.0";
const MOST_PARTIES = 32_767;

/** What a row is made of. */
export interface Source {
  readonly uuid: VconUuid;
  readonly vcon: Vcon;
  readonly model: string;
}

/** The row of a vCon; `undefined` when there is no text by which it could be found. */
export function rowOf({ uuid, vcon: document, model }: Source, limits: Limits): Row | undefined {
  const vcon = readable(document);
  const text = cut(textOf(vcon), limits.get("text") ?? 0).trim();
  if (text === "") return undefined;
  const columns: Columns = {
    vcon_uuid: uuid,
    party_id: partyIdOf(vcon),
    text,
    created_at: timeOf(vcon.created_at, limits.get("created_at") ?? 0),
    updated_at: timeOf(vcon.updated_at, limits.get("updated_at") ?? 0),
    subject: wordsOf(vcon.subject),
    metadata_title: textAt(vcon["metadata"], "title"),
    has_transcript: hasTranscript(vcon),
    has_summary: hasSummary(vcon),
    party_count: Math.min(vcon.parties?.length ?? 0, MOST_PARTIES),
    embedding_model: model,
    embedding_version: VERSION,
  };
  const present = Object.entries(columns).filter(([name]) => limits.has(name));
  const fitted = present.map(([name, value]) => [
    name,
    typeof value === "string" ? cut(value, limits.get(name) ?? 0) : value,
  ]);
  return { vcon_uuid: uuid, text, ...Object.fromEntries(fitted) };
}

/** The time as the vCon writes it; in UTC where that is too long, since half a time says something else. */
function timeOf(value: unknown, max: number): string {
  const text = wordsOf(value);
  if (Buffer.byteLength(text) <= max) return text;
  const read = readDate(text);
  const utc = (read && writeDate(read.ms)) ?? "";
  return utc.length <= max ? utc : "";
}
