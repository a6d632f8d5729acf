import type { Json } from "./document.ts";

/** `MUST`: the document breaks the draft. `SHOULD`: against its recommendation. `ADV`: from other RFCs or the field. */
export type Level = "MUST" | "SHOULD" | "ADV";

/** One thing that is to be said about a document; the document itself is kept as it is. */
export interface Finding {
  /** What kind of finding, for programs: `area.what`. */
  readonly code: string;
  /** Number of the rule of the draft it belongs to; 0 for findings that no rule of the draft covers. */
  readonly rule: number;
  readonly level: Level;
  /** JSON pointer (RFC 6901) into the document as it was submitted; empty for the whole document. */
  readonly pointer: string;
  readonly message: string;
  /** Whether reading with the profile `legacy` repairs it. */
  readonly fixable: boolean;
  /** Whether even the profile `tolerant` refuses a document because of it. */
  readonly fatal: boolean;
}

/** A finding of a merge: `other` is the value that lost. */
export interface MergeFinding extends Finding {
  readonly other: Json | undefined;
}
