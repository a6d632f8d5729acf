import type { StoredVcon } from "@vcon-server/core";
import {
  type Analysis,
  type Attachment,
  type Content,
  decodeBody,
  encodingOf,
  isRawNumber,
  type Vcon,
} from "@vcon-server/vcon";
import { indexName } from "./names.ts";
import { toSearchableDate } from "./searchable-date.ts";

type Members = Readonly<Record<string, unknown>>;

/** A party, dialog, analysis or attachment on its way into an index of its own. */
export interface Part {
  readonly index: string;
  readonly id: string;
  /** The document as the Python server writes it: the part with JSON bodies parsed, and the facts of its vCon. */
  readonly document: Members;
  /** What can be read in the body, as text. */
  readonly text: readonly string[];
  /** The part without text and media in its body. */
  readonly rest: Members;
}

/** What every part and the whole say about their vCon. */
export interface Facts {
  readonly vcon_id: string;
  /** `start` of the first dialog. */
  readonly started_at?: string | number;
  /** `id` in the attachment of the type or purpose `tenant`. */
  readonly tenant_id?: string | number;
}

export function factsOf({ uuid, vcon }: StoredVcon): Facts {
  const start = listed(vcon.dialog)[0]?.[1]["start"];
  const tenant = listed(vcon.attachments).find(([, attachment]) => kindOf(attachment) === "tenant")?.[1];
  const body = tenant && bodyOf(tenant);
  const id = isObject(body) ? body["id"] : undefined;
  return {
    vcon_id: uuid,
    ...(isScalar(start) && { started_at: toSearchableDate(start) }),
    ...(isScalar(id) && { tenant_id: id }),
  };
}

/** The parts of a vCon, each with the index it belongs into. A signed or encrypted one has none. */
export function partsOf({ uuid, vcon }: StoredVcon, facts: Facts, prefix: string): Part[] {
  const named = (family: string, kind?: string) => indexName(prefix, family, kind);
  const make = (at: number, part: Members, index: string): Part => ({
    index,
    id: `${uuid}_${at}`,
    ...read(part, facts),
  });
  return [
    ...listed(vcon.parties).map(([at, party]) => make(at, party, named("vcon_parties", wordIn(party["role"])))),
    ...listed(vcon.attachments).map(([at, part]) =>
      make(at, part, named("vcon_attachments", kindOf(part) ?? "unknown")),
    ),
    ...listed(vcon.analysis).map(([at, part]) =>
      make(at, part, named("vcon_analysis", wordIn(part["type"]) ?? "unknown")),
    ),
    ...listed(vcon.dialog).map(([at, dialog]) => make(at, dialog, named("vcon_dialog"))),
  ];
}

function read(part: Members, facts: Facts): Pick<Part, "document" | "text" | "rest"> {
  const body = bodyOf(part);
  const { body: _, ...others } = part;
  const isText = typeof body === "string";
  const isMedia = isText && encodingOf(part as Content) === "base64url";
  return {
    document: { ...part, ...(body !== undefined && { body }), ...facts },
    text: isMedia ? [] : textsIn(body),
    rest: isText || body === undefined ? others : { ...others, body },
  };
}

/** The body as the Python server indexes it: JSON parsed, everything else as it is. */
function bodyOf(part: Members): unknown {
  const content = part as Content;
  if (encodingOf(content) !== "json") return content.body;
  const decoded = decodeBody(content);
  return decoded?.kind === "json" ? decoded.value : content.body;
}

/** Every text in a JSON value, in its order. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** The objects in a list with their places. Whatever else stands there has nothing to be indexed. */
function listed(list: Vcon["parties"] | Vcon["dialog"] | readonly (Analysis | Attachment)[]): [number, Members][] {
  const elements: readonly unknown[] = Array.isArray(list) ? list : [];
  return [...elements.entries()].filter((entry): entry is [number, Members] => isObject(entry[1]));
}

const kindOf = (attachment: Members): string | undefined => wordIn(attachment["type"]) ?? wordIn(attachment["purpose"]);

const wordIn = (value: unknown): string | undefined => (isScalar(value) && value !== "" ? String(value) : undefined);

const isScalar = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number";

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);
