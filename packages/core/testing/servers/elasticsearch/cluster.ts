import { randomUUID } from "node:crypto";
import { ElasticError, illegal, noSuchIndex } from "./errors.ts";
import { checkedMapping, type Mapping } from "./mapping.ts";
import { type JsonObject, type ParsedDocument, parseDocument } from "./parse-document.ts";

export interface StoredDocument {
  readonly id: string;
  readonly source: JsonObject;
  readonly terms: ParsedDocument["terms"];
  readonly version: number;
  readonly seqNo: number;
}

/** `flood-stage` is what a full disk brings, `read-only` what somebody sets. */
export type Block = "flood-stage" | "read-only";

export interface Index {
  readonly name: string;
  readonly uuid: string;
  mapping: Mapping;
  /** By id, as get and multi get see it: at once. */
  readonly documents: Map<string, StoredDocument>;
  /** As searches see it: since the last refresh. */
  visible: ReadonlyMap<string, StoredDocument>;
  operations: number;
  block: Block | undefined;
  closed: boolean;
}

export type Privilege = "read" | "write" | "create_index" | "view_index_metadata";

const ACTIONS: Readonly<Record<Privilege, { readonly action: string; readonly granting: string }>> = {
  read: { action: "indices:data/read/mget[shard]", granting: "read,all" },
  write: { action: "indices:data/write/bulk[s]", granting: "create_doc,create,delete,index,write,all" },
  create_index: { action: "indices:admin/create", granting: "create_index,manage,all" },
  view_index_metadata: { action: "indices:admin/mappings/get", granting: "view_index_metadata,manage,all" },
};

export interface ClusterOptions {
  /** Version it pretends to be. */
  readonly version: string;
  /** `action.auto_create_index`. */
  readonly autoCreate: boolean;
  /** `cluster.max_shards_per_node`, one shard an index. */
  readonly maxShards: number;
}

export interface Cluster {
  readonly indices: ReadonlyMap<string, Index>;
  create(name: string, body: JsonObject): Index;
  remove(index: Index): void;
  named(name: string): Index;
  /** Indices an expression such as `a*,b` stands for; a plain name that is missing is an error unless ignored. */
  select(expression: string, ignoreMissing: boolean): Index[];
  index(name: string, id: string, source: JsonObject): { readonly stored: StoredDocument; readonly isNew: boolean };
  delete(name: string, id: string): { readonly version: number; readonly seqNo: number; readonly found: boolean };
  /** Takes a privilege on the indices whose names match away from everybody. */
  deny(privilege: Privilege, pattern: RegExp): void;
  checkAllowed(privilege: Privilege, index: string): void;
}

export function openCluster({ version, autoCreate, maxShards }: ClusterOptions): Cluster {
  const indices = new Map<string, Index>();
  const denied: { readonly privilege: Privilege; readonly pattern: RegExp }[] = [];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const errorType = major > 8 || minor >= 8 ? "document_parsing_exception" : "mapper_parsing_exception";

  function checkAllowed(privilege: Privilege, index: string): void {
    if (!denied.some((rule) => rule.privilege === privilege && rule.pattern.test(index))) return;
    const { action, granting } = ACTIONS[privilege];
    const reason = `action [${action}] is unauthorized for user [tester] with effective roles [tester] on indices [${index}], this action is granted by the index privileges [${granting}]`;
    throw new ElasticError(403, "security_exception", reason);
  }

  function make(name: string, mapping: Mapping): Index {
    if (indices.size >= maxShards) {
      const reason = `Validation Failed: 1: this action would add [1] shards, but this cluster currently has [${indices.size}]/[${maxShards}] maximum normal shards open;`;
      throw new ElasticError(400, "validation_exception", reason);
    }
    const documents = new Map<string, StoredDocument>();
    const uuid = randomUUID().replaceAll("-", "").slice(0, 22);
    const rest = { visible: new Map(), operations: 0, block: undefined, closed: false };
    const index: Index = { name, uuid, mapping, documents, ...rest };
    indices.set(name, index);
    return index;
  }

  function named(name: string): Index {
    const index = indices.get(name);
    if (!index) throw noSuchIndex(name);
    return index;
  }

  /** The index a write goes to, made where it is missing. */
  function writable(name: string, makes: boolean): Index {
    checkAllowed("write", name);
    let index = indices.get(name);
    if (!index && makes) {
      checkName(name);
      if (!autoCreate) throw noSuchIndex(name);
      checkAllowed("create_index", name);
      index = make(name, { properties: {} });
    }
    if (!index) throw noSuchIndex(name);
    checkOpen(index);
    if (index.block) throw blocked(index, index.block);
    return index;
  }

  return {
    indices,
    named,
    checkAllowed,
    deny: (privilege, pattern) => void denied.push({ privilege, pattern }),
    create(name, body) {
      checkAllowed("create_index", name);
      checkName(name);
      const existing = indices.get(name);
      if (existing) {
        const reason = `index [${name}/${existing.uuid}] already exists`;
        throw new ElasticError(400, "resource_already_exists_exception", reason, {
          index_uuid: existing.uuid,
          index: name,
        });
      }
      const unknown = Object.keys(body).find((key) => !["mappings", "settings", "aliases"].includes(key));
      if (unknown) throw new ElasticError(400, "parse_exception", `unknown key [${unknown}] for create index`);
      return make(name, checkedMapping((body["mappings"] ?? {}) as JsonObject));
    },
    remove: ({ name }) => void indices.delete(name),
    select(expression, ignoreMissing) {
      return expression.split(",").flatMap((part) => {
        if (part === "_all") return [...indices.values()];
        if (!part.includes("*")) return ignoreMissing && !indices.has(part) ? [] : [named(part)];
        const pattern = new RegExp(`^${part.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
        return [...indices.values()].filter(({ name, closed }) => pattern.test(name) && !closed);
      });
    },
    index(name, id, source) {
      if (Buffer.byteLength(id) > 512) throw illegal(`id [${id}] is too long, must be no longer than 512 bytes`);
      const index = writable(name, true);
      const { terms, mapping } = parseDocument({ mapping: index.mapping, errorType }, id, source);
      const before = index.documents.get(id);
      const stored = { id, source, terms, version: (before?.version ?? 0) + 1, seqNo: index.operations++ };
      index.mapping = mapping;
      index.documents.set(id, stored);
      return { stored, isNew: before === undefined };
    },
    delete(name, id) {
      const index = writable(name, false);
      const before = index.documents.get(id);
      index.documents.delete(id);
      return { version: (before?.version ?? 0) + 1, seqNo: index.operations++, found: before !== undefined };
    },
  };
}

/** Makes what was written so far visible to searches. */
export function refresh(index: Index): void {
  index.visible = new Map(index.documents);
}

export function checkOpen({ name, uuid, closed }: Index): void {
  if (closed) throw new ElasticError(400, "index_closed_exception", "closed", { index_uuid: uuid, index: name });
}

const BLOCKS: Readonly<Record<Block, readonly [status: number, words: string]>> = {
  "flood-stage": [
    429,
    "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block",
  ],
  "read-only": [403, "FORBIDDEN/5/index read-only (api)"],
};

function blocked({ name }: Index, block: Block): ElasticError {
  const [status, words] = BLOCKS[block];
  return new ElasticError(status, "cluster_block_exception", `index [${name}] blocked by: [${words}];`);
}

function checkName(name: string): void {
  const rule = brokenRule(name);
  if (rule === undefined) return;
  const more = { index_uuid: "_na_", index: name };
  throw new ElasticError(400, "invalid_index_name_exception", `Invalid index name [${name}], ${rule}`, more);
}

/** The first rule of index names that a name breaks. */
export function brokenRule(name: string): string | undefined {
  if (name === "") return "must not be empty";
  if (/[\\/*?"<>| ,]/.test(name))
    return `must not contain the following characters [' ','"','*',',','/','<','>','?','\\','|']`;
  if (name.includes("#")) return "must not contain '#'";
  if (name.includes(":")) return "must not contain ':'";
  if (/^[_\-+]/.test(name)) return "must not start with '_', '-', or '+'";
  const bytes = Buffer.byteLength(name);
  if (bytes > 255) return `index name is too long, (${bytes} > 255)`;
  if (name === "." || name === "..") return "must not be '.' or '..'";
  return name.toLowerCase() === name ? undefined : "must be lowercase";
}
