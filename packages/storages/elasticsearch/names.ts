/** Longest name of an index, in bytes of UTF-8. */
const MAX_BYTES = 255;

/** Characters no index name may have; other blanks and control characters are legal and a nuisance. */
const ILLEGAL = /[\\/*?"<>|,#:\s\p{Cc}\p{Cf}]/gu;

/** What an index is called: legal whatever role, type or purpose a vCon comes with. Different ones may share an index. */
export function indexName(prefix: string, family: string, kind?: string): string {
  const name = kind === undefined ? `${prefix}${family}` : `${prefix}${family}_${legal(kind)}`;
  // cuts before the character that does not fit any more
  const { read } = new TextEncoder().encodeInto(name, new Uint8Array(MAX_BYTES));
  return name.slice(0, read);
}

const legal = (text: string): string => text.toWellFormed().toLowerCase().replace(ILLEGAL, "_");

/** A prefix in front of which nothing can go wrong: legal, and short enough to leave room. */
export const INDEX_PREFIX = /^(?:[a-z0-9][a-z0-9_.+-]{0,99})?$/;

/** What the name of the index of whole vCons may be: legal, and none of the parts' names. */
export const INDEX = /^(?!vcon_(?:parties|attachments|analysis|dialog)(?:_|$))[a-z0-9][a-z0-9_.+-]{0,99}$/;

/** Names the parts of vCons may be under, as an expression for searches. */
export const partsPattern = (prefix: string): string[] =>
  ["vcon_parties*", "vcon_attachments_*", "vcon_analysis_*", "vcon_dialog"].map((name) => `${prefix}${name}`);
