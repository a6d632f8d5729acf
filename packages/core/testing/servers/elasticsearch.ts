import { gunzipSync } from "node:zlib";
import { type Fault, fakeService, faulty, type ServedService, type ServiceRequest, serve } from "../services/index.ts";
import { type BulkItem, objectIn, readBulk, refreshAfter, runBulk } from "./elasticsearch/bulk.ts";
import {
  type Block,
  type Cluster,
  checkOpen,
  type Index,
  openCluster,
  type Privilege,
  refresh,
} from "./elasticsearch/cluster.ts";
import { ElasticError, errorBody, illegal, itemError, noSuchIndex } from "./elasticsearch/errors.ts";
import type { Mapping } from "./elasticsearch/mapping.ts";
import type { JsonObject } from "./elasticsearch/parse-document.ts";
import { matches } from "./elasticsearch/search.ts";

export { brokenRule } from "./elasticsearch/cluster.ts";
export { ElasticError } from "./elasticsearch/errors.ts";

export interface ElasticsearchOptions {
  /** Version it says it is, and whose wire formats it accepts; `9.1.0` by default. */
  readonly version?: string;
  /** With either, credentials are asked for. */
  readonly user?: { readonly username: string; readonly password: string };
  readonly apiKey?: string;
  /** `action.auto_create_index`; true by default. */
  readonly autoCreate?: boolean;
  /** `http.max_content_length` in bytes; 100 MB by default. */
  readonly maxContentLength?: number;
  /** Most indices there may be, as `cluster.max_shards_per_node` limits them; 1000 by default. */
  readonly maxShards?: number;
}

/** A stand-in for Elasticsearch on a free loopback port: the documented wire format of what storages use of it. */
export interface ElasticsearchServer {
  readonly url: string;
  /** What it was asked, in order. */
  readonly requests: readonly ServiceRequest[];
  /** Names of the indices there are. */
  indices(): string[];
  /** Documents of an index by id, whether searches see them yet or not; numbers are kept as they were written. */
  documents(index: string): ReadonlyMap<string, JsonObject>;
  mapping(index: string): Mapping;
  /** Answers the next requests with these, one each, before it goes back to answering well. */
  fail(...faults: readonly Fault[]): void;
  /** The same once so many requests were answered well; replaces what was wished before. */
  failAfter(well: number, ...faults: readonly Fault[]): void;
  /** Answers single items of bulks with an error; the last wish replaces the one before. */
  failItems(failing: (item: BulkItem) => ElasticError | undefined): void;
  /** Blocks writing to an index, or lifts the block. */
  block(index: string, block: Block | undefined): void;
  /** Deletes an index. */
  remove(index: string): void;
  /** Closes an index, or opens it again. */
  close(index: string, closed?: boolean): void;
  /** Takes a privilege on the indices whose names match away from everybody. */
  deny(privilege: Privilege, pattern: RegExp): void;
  /** Stops listening and keeps the data; `start` brings it back on the same port. */
  pause(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server without indices. */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ElasticsearchServer> {
  const { version = "9.1.0", autoCreate = true, maxShards = 1_000 } = options;
  const cluster = openCluster({ version, autoCreate, maxShards });
  let failing: (item: BulkItem) => ElasticError | undefined = () => undefined;
  const node: Node = { ...options, version, cluster, failing: (item) => failing(item) };
  let [well, faults]: [number, readonly Fault[]] = [0, []];
  const fake = fakeService((request) => {
    const fault = faults[-well];
    if (faults.length > 0) well--;
    return fault === undefined ? answer(node, request) : faulty(fault);
  });
  let served: ServedService | undefined = await serve(fake.answer);
  const { url } = served;
  const end = async () => {
    const was = served;
    served = undefined;
    await was?.close();
  };
  return {
    url,
    requests: fake.requests,
    indices: () => [...cluster.indices.keys()].toSorted(),
    documents: (index) => new Map([...cluster.named(index).documents].map(([id, { source }]) => [id, source])),
    mapping: (index) => cluster.named(index).mapping,
    fail: fake.fail,
    failAfter(after, ...given) {
      [well, faults] = [after, given];
    },
    failItems(next) {
      failing = next;
    },
    block(index, block) {
      cluster.named(index).block = block;
    },
    close(index, closed = true) {
      cluster.named(index).closed = closed;
    },
    remove: (index) => cluster.remove(cluster.named(index)),
    deny: cluster.deny,
    pause: end,
    async start() {
      served ??= await serve(fake.answer, Number(new URL(url).port));
    },
    stop: end,
  };
}

interface Node extends ElasticsearchOptions {
  readonly version: string;
  readonly cluster: Cluster;
  readonly failing: (item: BulkItem) => ElasticError | undefined;
}

function answer(node: Node, request: ServiceRequest): Response {
  const headers = { "x-elastic-product": "Elasticsearch", "content-type": "application/json" };
  const compatible = /compatible-with=(\d+)/.exec(request.headers.get("accept") ?? "")?.[1];
  if (compatible) headers["content-type"] = `application/vnd.elasticsearch+json;compatible-with=${compatible}`;
  if (request.bytes.length > (node.maxContentLength ?? 100 * 2 ** 20)) return new Response(null, { status: 413 });
  try {
    checkMedia(node, request);
    checkCredentials(node, request);
    const { status = 200, body } = route(node, request);
    return new Response(request.method === "HEAD" ? null : JSON.stringify(body), { status, headers });
  } catch (error) {
    if (!(error instanceof ElasticError)) throw error;
    const challenge = error.status === 401 ? { "www-authenticate": 'Basic realm="security", charset="UTF-8"' } : {};
    const body = request.method === "HEAD" ? null : JSON.stringify(errorBody(error));
    return new Response(body, { status: error.status, headers: { ...headers, ...challenge } });
  }
}

/** A server speaks the formats of its own major version and of the one before. */
function checkMedia({ version }: Node, { headers, bytes }: ServiceRequest): void {
  const major = Number.parseInt(version, 10);
  const accepted = headers.get("accept") ?? "";
  const wanted = /compatible-with=(\d+)/.exec(`${accepted} ${headers.get("content-type")}`)?.[1];
  if (wanted !== undefined && Number(wanted) !== major && Number(wanted) !== major - 1) {
    const reason = `Accept version must be either version ${major} or ${major - 1}, but found ${wanted}. Accept=${accepted}`;
    const more = { caused_by: { type: "status_exception", reason } };
    const summary = "Invalid media-type value on headers [Content-Type, Accept]";
    throw new ElasticError(400, "media_type_header_exception", summary, more);
  }
  const type = headers.get("content-type") ?? "";
  if (bytes.length > 0 && !/^application\/(?:vnd\.elasticsearch\+)?(?:x-nd)?json(?:;[^,]*)?$/.test(type))
    throw new ElasticError(406, "media_type_header_exception", `Content-Type header [${type}] is not supported`);
}

function checkCredentials({ user, apiKey }: Node, { headers, url }: ServiceRequest): void {
  if (!user && apiKey === undefined) return;
  const given = headers.get("authorization");
  const basic = user && `Basic ${Buffer.from(`${user.username}:${user.password}`).toString("base64")}`;
  if (given !== null && (given === basic || (apiKey !== undefined && given === `ApiKey ${apiKey}`))) return;
  const name = given?.startsWith("Basic ") ? Buffer.from(given.slice(6), "base64").toString().split(":")[0] : undefined;
  const reason =
    given === null
      ? `missing authentication credentials for REST request [${url.pathname}]`
      : name === undefined
        ? "unable to authenticate with provided credentials and anonymous access is not allowed for this request"
        : `unable to authenticate user [${name}] for REST request [${url.pathname}]`;
  throw new ElasticError(401, "security_exception", reason);
}

interface Answer {
  readonly status?: number;
  readonly body: object;
}

interface Asked {
  readonly method: string;
  /** Path in its parts, decoded. */
  readonly parts: readonly string[];
  readonly text: string;
  /** A parameter of the query. One that nobody asks for is refused. */
  param(name: string): string | undefined;
}

function route(node: Node, request: ServiceRequest): Answer {
  const taken = new Set(["pretty", "human", "error_trace", "format"]);
  const bytes = request.headers.get("content-encoding") === "gzip" ? gunzipSync(request.bytes) : request.bytes;
  const asked: Asked = {
    method: request.method,
    parts: request.url.pathname.split("/").filter(Boolean).map(decodeURIComponent),
    text: new TextDecoder().decode(bytes),
    param(name) {
      taken.add(name);
      return request.url.searchParams.get(name) ?? undefined;
    },
  };
  const handled = handle(node, asked);
  const unknown = [...request.url.searchParams.keys()].find((name) => !taken.has(name));
  if (unknown) throw illegal(`request [${request.url.pathname}] contains unrecognized parameter: [${unknown}]`);
  return handled();
}

/** Reads the parameters of a request and says what is to be done for it. */
function handle(node: Node, asked: Asked): () => Answer {
  const { method, parts } = asked;
  const [first = "", second, third] = parts;
  const isPost = method === "POST";
  if (parts.length === 0) return () => info(node);
  if (isPost && (first === "_bulk" || second === "_bulk")) return bulk(node, asked, second && first);
  if (first === "_mget" || second === "_mget") return multiGet(node, asked, second && first);
  if (second === "_doc" && third !== undefined && (method === "GET" || method === "HEAD"))
    return getDocument(node, asked, { index: first, id: third });
  if (second === "_doc" && third !== undefined && (method === "PUT" || isPost))
    return putDocument(node, asked, { index: first, id: third });
  if (isPost && second === "_search") return search(node, asked, first);
  if (isPost && second === "_delete_by_query") return deleteByQuery(node, asked, first);
  if (second === "_mapping" && method === "GET") return getMapping(node, asked, first);
  if (second === "_refresh") return () => refreshed(node, first);
  if (parts.length === 1) return manageIndex(node, asked, first);
  throw illegal(`no handler found for uri [/${parts.join("/")}] and method [${method}]`);
}

const info = ({ version }: Node): Answer => ({
  body: { name: "fake", cluster_name: "fake", version: { number: version }, tagline: "You Know, for Search" },
});

function bulk(node: Node, { text, param }: Asked, index: string | undefined): () => Answer {
  const how = param("refresh");
  return () => {
    const items = readBulk(text, index);
    const { errors, items: answers } = runBulk(node.cluster, items, node.failing);
    refreshAfter(
      node.cluster,
      items.map((item) => item.index),
      how,
    );
    return { body: { took: 1, errors, items: answers } };
  };
}

function multiGet({ cluster }: Node, { text, param }: Asked, index: string | undefined): () => Answer {
  const includes = param("_source_includes")?.split(",");
  return () => {
    const { ids = [], docs = [] } = objectIn(text) as { ids?: string[]; docs?: { _index?: string; _id: string }[] };
    const wanted = [...ids.map((id) => ({ _id: id })), ...docs];
    const found = wanted.map(({ _index = index ?? "", _id }: { _index?: string; _id: string }) => {
      try {
        return { _index, _id, ...read(cluster, _index, _id, includes) };
      } catch (error) {
        if (error instanceof ElasticError) return { _index, _id, error: itemError(error) };
        throw error;
      }
    });
    return { body: { docs: found } };
  };
}

function getDocument({ cluster }: Node, { param }: Asked, { index, id }: { index: string; id: string }): () => Answer {
  const includes = param("_source_includes")?.split(",");
  return () => {
    const found = read(cluster, index, id, includes);
    return { status: found.found ? 200 : 404, body: { _index: index, _id: id, ...found } };
  };
}

function putDocument(
  { cluster }: Node,
  { text, param }: Asked,
  { index, id }: { index: string; id: string },
): () => Answer {
  const how = param("refresh");
  return () => {
    const { stored, isNew } = cluster.index(index, id, objectIn(text));
    refreshAfter(cluster, [index], how);
    const result = isNew ? "created" : "updated";
    return { status: isNew ? 201 : 200, body: { _index: index, _id: id, _version: stored.version, result } };
  };
}

/** A document by its id: what was written last, refreshed or not. */
function read(cluster: Cluster, name: string, id: string, includes: readonly string[] | undefined) {
  cluster.checkAllowed("read", name);
  const index = cluster.named(name);
  checkOpen(index);
  const found = index.documents.get(id);
  if (!found) return { found: false as const };
  const { source, version, seqNo } = found;
  const members = Object.entries(source).filter(([member]) => includes?.includes(member) ?? true);
  return {
    _version: version,
    _seq_no: seqNo,
    _primary_term: 1,
    found: true as const,
    _source: Object.fromEntries(members),
  };
}

function search({ cluster }: Node, { text, param }: Asked, expression: string): () => Answer {
  const ignoreMissing = param("ignore_unavailable") === "true";
  return () => {
    const { query = { match_all: {} } } = text === "" ? {} : objectIn(text);
    const hits = cluster.select(expression, ignoreMissing).flatMap((index) => {
      checkOpen(index);
      cluster.checkAllowed("read", index.name);
      const found = [...index.visible.values()].filter((doc) => matches(query, doc));
      return found.map(({ id, source }) => ({ _index: index.name, _id: id, _score: 1, _source: source }));
    });
    const total = { value: hits.length, relation: "eq" };
    return { body: { took: 1, timed_out: false, hits: { total, max_score: 1, hits } } };
  };
}

function deleteByQuery({ cluster }: Node, { text, param }: Asked, expression: string): () => Answer {
  const proceeds = param("conflicts") === "proceed";
  const ignoreMissing = param("ignore_unavailable") === "true";
  const how = param("refresh");
  return () => {
    const { query } = objectIn(text);
    if (query === undefined) throw new ElasticError(400, "action_request_validation_exception", "query is missing");
    let [deleted, conflicts] = [0, 0];
    const indices = cluster.select(expression, ignoreMissing);
    for (const index of indices) {
      checkOpen(index);
      for (const { id, seqNo } of [...index.visible.values()].filter((doc) => matches(query, doc))) {
        // what was changed since the last refresh is not what the query found
        if (index.documents.get(id)?.seqNo !== seqNo) conflicts++;
        else if (cluster.delete(index.name, id).found) deleted++;
      }
    }
    refreshAfter(
      cluster,
      indices.map(({ name }) => name),
      how,
    );
    const counts = { total: deleted + conflicts, deleted, batches: 1, version_conflicts: conflicts, noops: 0 };
    const body = {
      took: 1,
      timed_out: false,
      ...counts,
      retries: { bulk: 0, search: 0 },
      throttled_millis: 0,
      failures: [],
    };
    return { status: conflicts > 0 && !proceeds ? 409 : 200, body };
  };
}

function getMapping({ cluster }: Node, { param }: Asked, expression: string): () => Answer {
  const ignoreMissing = param("ignore_unavailable") === "true";
  return () => {
    for (const name of expression.split(",")) cluster.checkAllowed("view_index_metadata", name);
    const indices = cluster.select(expression, ignoreMissing);
    return { body: Object.fromEntries(indices.map(({ name, mapping }) => [name, { mappings: mapping }])) };
  };
}

function refreshed({ cluster }: Node, expression: string): Answer {
  const indices = cluster.select(expression, false);
  indices.forEach(refresh);
  return { body: { _shards: { total: indices.length, successful: indices.length, failed: 0 } } };
}

function manageIndex({ cluster }: Node, { method, text, param }: Asked, name: string): () => Answer {
  const existing: Index | undefined = cluster.indices.get(name);
  if (method === "PUT") {
    param("wait_for_active_shards");
    return () => {
      cluster.create(name, text === "" ? {} : objectIn(text));
      return { body: { acknowledged: true, shards_acknowledged: true, index: name } };
    };
  }
  return () => {
    if (!existing) throw noSuchIndex(name);
    if (method === "DELETE") cluster.remove(existing);
    return { body: { acknowledged: true } };
  };
}
