/** A JSON value, deeply read-only. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** UUID of a vCon in lower case with hyphens. Branded so that a list name or a party id cannot be passed for it. */
export type VconUuid = string & { readonly __brand: "VconUuid" };

/** Members every object of a vCon may carry besides the known ones; they survive every trip untouched. */
interface Open {
  readonly [member: string]: unknown;
}

export type Encoding = "none" | "json" | "base64url";

/** Inline content (`body` + `encoding`) or external content (`url` + `content_hash`): core-04 section 2.4. */
export interface Content extends Open {
  readonly mediatype?: string;
  readonly filename?: string;
  readonly body?: Json;
  readonly encoding?: string;
  readonly url?: string;
  readonly content_hash?: string | readonly string[];
}

/** A participant: core-04 section 4.2. `{}` is legal and means that nothing is known. */
export interface Party extends Open {
  readonly tel?: string;
  readonly sip?: string;
  readonly stir?: string;
  readonly mailto?: string;
  readonly name?: string;
  readonly did?: string;
  readonly validation?: string;
  readonly uuid?: string;
  readonly type?: string;
  readonly org?: string;
  readonly dept?: string;
  readonly role?: string;
}

/** Index of a party, a list of them, or per channel a list or null. */
export type PartyIndices = number | readonly (number | readonly number[] | null)[];

/** A piece of the conversation: core-04 section 4.3. */
export interface Dialog extends Content {
  readonly type: string;
  readonly start?: string;
  /** Seconds. */
  readonly duration?: number;
  readonly parties?: PartyIndices;
  readonly originator?: number;
  readonly disposition?: string;
  readonly message_id?: string;
  readonly application?: string;
}

/** What somebody or something made of the dialogs: core-04 section 4.5. */
export interface Analysis extends Content {
  readonly type: string;
  readonly dialog?: number | readonly number[];
  readonly attachment?: number | readonly number[];
  readonly vendor?: string;
  readonly product?: string;
  readonly schema?: string;
}

/** Something that accompanied the conversation: core-04 section 4.4. */
export interface Attachment extends Content {
  readonly purpose?: string;
  readonly start?: string;
  readonly party?: number;
  readonly dialog?: number;
}

/**
 * The document, in the names of draft-ietf-vcon-vcon-core-04.
 * A signed or encrypted vCon is kept verbatim and carries `payload`/`ciphertext` instead of the four arrays.
 */
export interface Vcon extends Open {
  readonly vcon?: string;
  readonly uuid: VconUuid;
  readonly created_at?: string;
  readonly updated_at?: string;
  readonly subject?: string;
  readonly extensions?: readonly string[];
  readonly critical?: readonly string[];
  readonly redacted?: Open;
  readonly amended?: Open;
  readonly parties?: readonly Party[];
  readonly dialog?: readonly Dialog[];
  readonly analysis?: readonly Analysis[];
  readonly attachments?: readonly Attachment[];
}
