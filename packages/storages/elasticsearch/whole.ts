import type { StoredVcon } from "@vcon-server/core";
import { z } from "zod";
import type { Facts } from "./parts.ts";
import { toSearchableDate } from "./searchable-date.ts";

/** Strings longer than this are cut: Elasticsearch reads none of more than 50 million characters. */
const LONGEST_STRING = 10_000_000;

/** What the document of a whole vCon says about its parts. */
export interface Listing {
  /** Documents of parts there may be, as `index/id`. Whatever was written is listed before it is written. */
  readonly parts: readonly string[];
  /** Parts that their index did not take as they are, as `index/id: error`. */
  readonly refused: readonly string[];
}

/** The document of a whole vCon, given its JSON text as a JSON string. */
export function wholeSource({ vcon }: StoredVcon, facts: Facts, json: string): (listing: Listing) => string {
  const { created_at, updated_at, subject } = vcon as Readonly<Record<string, unknown>>;
  const told = {
    ...facts,
    ...(typeof created_at === "string" && { created_at: toSearchableDate(created_at) }),
    ...(typeof updated_at === "string" && { updated_at: toSearchableDate(updated_at) }),
    ...(typeof subject === "string" && { subject }),
  };
  return ({ parts, refused }) => {
    const head = JSON.stringify({ ...told, parts, ...(refused.length > 0 && { refused }) });
    return `${head.slice(0, -1)},"json":${json}}`;
  };
}

/** The JSON text of a vCon as a JSON string, or as a list of strings when it is very long. */
export function jsonMember(bytes: Uint8Array, longest = LONGEST_STRING): string {
  const text = new TextDecoder().decode(bytes);
  if (text.length <= longest) return JSON.stringify(text);
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    // half of a surrogate pair is no text
    const end = isHighSurrogate(text.charCodeAt(at + longest - 1)) ? at + longest - 1 : at + longest;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return JSON.stringify(pieces);
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

const Kept = z.looseObject({ json: z.union([z.string(), z.array(z.string())]) });

/** The JSON text in a document of whole vCons. Throws an `Error` when there is none. */
export function jsonIn(source: unknown): string {
  const { json } = Kept.parse(source);
  return typeof json === "string" ? json : json.join("");
}

const Listed = z.looseObject({ parts: z.array(z.string()) });

/** The parts a document of a whole vCon lists; none when it has no list. */
export const partsIn = (source: unknown): readonly string[] => Listed.safeParse(source).data?.parts ?? [];
