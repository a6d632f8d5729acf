import { readTime } from "./date.ts";
import type { Vcon } from "./document.ts";
import { formOf, payloadOf } from "./form.ts";
import { isObject, own } from "./shape.ts";

/** Where a document is found: `tel:`, `mailto:` or `name:` and a value, exactly as somebody will ask for it. */
export type Term = `tel:${string}` | `mailto:${string}` | `name:${string}`;

export interface VconIndex {
  /** Epoch seconds, rounded down; 0 when the document does not say. */
  readonly createdAt: number;
  readonly terms: readonly Term[];
}

/**
 * Entries that one document may have. A conference has hundreds; a document with hundreds of thousands would keep the
 * backend busy for seconds, for everybody, every time it is stored.
 */
export const MAX_TERMS = 10_000;

const MEMBERS = ["tel", "mailto", "name"] as const;

/**
 * The index entries of a document: what each party says about itself, as written, and without the `tel:` or `mailto:`
 * in front of it, at most `MAX_TERMS`. Of a signed vCon the payload is indexed, unverified; an encrypted one has only its uuid.
 */
export function indexOf(vcon: Vcon): VconIndex {
  const document = formOf(vcon) === "signed" ? payloadOf(vcon) : vcon;
  const parties = document && own(document, "parties");
  const terms = new Set<Term>();
  for (const party of Array.isArray(parties) ? parties : []) {
    if (terms.size >= MAX_TERMS) break;
    for (const member of isObject(party) ? MEMBERS : []) {
      const value: unknown = own(party, member);
      if (typeof value !== "string" || value === "") continue;
      terms.add(`${member}:${value}`);
      const prefix = `${member}:`;
      if (member !== "name" && value.toLowerCase().startsWith(prefix) && value.length > prefix.length) {
        terms.add(`${member}:${value.slice(prefix.length)}`);
      }
    }
  }
  return { createdAt: epochSeconds(document && own(document, "created_at")), terms: [...terms].slice(0, MAX_TERMS) };
}

function epochSeconds(value: unknown): number {
  const ms = readTime(value);
  return ms === undefined ? 0 : Math.floor(ms / 1000);
}
