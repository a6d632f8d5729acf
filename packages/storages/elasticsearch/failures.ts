import { type ErrorCode, secondsOf, VconError } from "@vcon-server/core";

/** What went wrong, from the whole answer or from one item of a bulk. */
export interface Said {
  /** HTTP status; undefined when there was no answer. */
  readonly status?: number;
  readonly type: string;
  readonly reason: string;
}

const REMEDIES: readonly (readonly [when: RegExp, remedy: string])[] = [
  [/flood-stage/, "the disks of the cluster are nearly full: make room, and it goes on by itself"],
  [/cluster_block_exception/, "lift the block (index.blocks.* or cluster.blocks.*), and it goes on by itself"],
  [/^401/, "check api_key, or username and password"],
  [/^403/, "give the user or API key the privileges that the README of this storage names"],
  [
    /maximum \w+ (?:shards|indices)/,
    "the cluster is full: raise cluster.max_shards_per_node, add a node or delete indices",
  ],
  [/index_closed_exception/, "open the index"],
  [/no write index/, "the name is an alias: give it a write index"],
  [/index_not_found_exception/, "make the index, or allow it in action.auto_create_index"],
  [/^429/, "the cluster has more to do than it can; it is tried again"],
  [
    /ProductNotSupportedError/,
    "the server at this address is not Elasticsearch, or a proxy hides that it is: check url",
  ],
  [/certificate|altnames/i, "give its certificate authority as ca_certs; certificates are always checked"],
  [/wrong version number|packet length|HPE_INVALID/i, "check whether url must begin with http:// or https://"],
];

/** Conditions of the cluster that Elasticsearch reports as if the document were at fault. */
const NOT_THE_DOCUMENT = /index_closed_exception|maximum \w+ (?:shards|indices)|no write index/;

/** Whether an index refuses this very document, so that sending it again is of no use. */
export const isRefusal = ({ status, type, reason }: Said): boolean =>
  status === 413 || (status === 400 && !NOT_THE_DOCUMENT.test(`${type} ${reason}`));

/** What the client throws, as a coded error. Only an outage by its code: documents are judged item by item. */
export function elasticFailure(doing: string, error: unknown): VconError {
  if (error instanceof VconError) return error;
  const said = saidBy(error);
  const retryAfterSecs = secondsOf(headerOf(error, "retry-after"), Date.now());
  return coded("VCON_STORAGE_DOWN", `${doing}: ${sentence(said)}`, said, {
    // the client's own error carries the whole request, credentials and documents included
    cause: new Error(`${said.type}: ${said.reason}`),
    ...(retryAfterSecs !== undefined && { retryAfterSecs }),
  });
}

/** One item of a bulk that failed, as a coded error. */
export const itemFailure = (doing: string, said: Said): VconError =>
  coded(isRefusal(said) ? "VCON_STORAGE_REFUSED" : "VCON_STORAGE_DOWN", `${doing}: ${sentence(said)}`, said);

const coded = (
  code: ErrorCode,
  message: string,
  { status, type }: Said,
  extras: { readonly cause?: Error; readonly retryAfterSecs?: number } = {},
): VconError => new VconError(code, message, { ...extras, details: { type, ...(status !== undefined && { status }) } });

function sentence(said: Said): string {
  const { status, type, reason } = said;
  const words = `${status ?? ""} ${type} ${reason}`.trim();
  const remedy = REMEDIES.find(([when]) => when.test(words))?.[1];
  if (status === 413) return "it is larger than the server takes; raise http.max_content_length or what a proxy allows";
  const told =
    status === undefined ? reason : `Elasticsearch answers ${status} (${[type, reason].filter(Boolean).join(": ")})`;
  const fallback = isRefusal(said) ? "change the vCon or the mapping of the index" : "it is tried again";
  return `${told}; ${remedy ?? fallback}`;
}

const LONGEST = 300;

function saidBy(error: unknown): Said {
  if (!(error instanceof Error)) return { type: "unknown", reason: String(error).slice(0, LONGEST) };
  const type = error.name;
  if (type !== "ResponseError") return { type, reason: error.message.slice(0, LONGEST) };
  const status: unknown = memberOf(memberOf(error, "meta"), "statusCode");
  const body = memberOf(memberOf(error, "meta"), "body");
  const answered = memberOf(body, "error");
  const text = [body, answered].find((words) => typeof words === "string");
  const said = saidIn(answered) ?? { type: "not as Elasticsearch does", reason: String(text ?? "") };
  const deeper = saidIn(memberOf(answered, "caused_by"))?.reason;
  const reason = [said.reason, deeper].filter(Boolean).join(": ").slice(0, LONGEST);
  return { ...(typeof status === "number" && { status }), type: said.type, reason };
}

/** Type and reason as Elasticsearch gives them, without the piece of the document it shows. */
export function saidIn(error: unknown): Omit<Said, "status"> | undefined {
  const [type, reason] = [memberOf(error, "type"), memberOf(error, "reason")];
  if (typeof type !== "string") return undefined;
  const words = typeof reason === "string" ? reason : "";
  return { type, reason: words.replace(/\. Preview of field's value: '[\s\S]*/, "").slice(0, LONGEST) };
}

/** The type of the error that an answer is, when Elasticsearch itself gave it. */
export const answeredType = (error: unknown): string | undefined =>
  saidIn(memberOf(memberOf(memberOf(error, "meta"), "body"), "error"))?.type;

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

function headerOf(error: unknown, name: string): string | null {
  const value = memberOf(memberOf(memberOf(error, "meta"), "headers"), name);
  return typeof value === "string" ? value : null;
}
