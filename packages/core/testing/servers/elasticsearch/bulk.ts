import { parseJson } from "@vcon-server/vcon";
import { type Cluster, refresh } from "./cluster.ts";
import { ElasticError, illegal, itemError } from "./errors.ts";
import { isObject, type JsonObject } from "./parse-document.ts";

/** One line of a bulk with its document. */
export interface BulkItem {
  readonly action: "index" | "create" | "delete";
  readonly index: string;
  readonly id: string;
  readonly source?: JsonObject;
}

/** Reads the lines of a bulk. The whole request is refused when one of them makes no sense. */
export function readBulk(text: string, defaultIndex: string | undefined): BulkItem[] {
  if (text === "") throw new ElasticError(400, "parse_exception", "request body is required");
  if (!text.endsWith("\n")) throw illegal("The bulk request must be terminated by a newline [\\n]");
  const lines = text.slice(0, -1).split("\n");
  const items: BulkItem[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [action, meta] = Object.entries(objectIn(lines[at] ?? ""))[0] ?? [];
    const known = action === "index" || action === "create" || action === "delete";
    if (!known || meta === undefined || !isObject(meta)) throw malformedLine(at + 1);
    const index = meta["_index"] ?? defaultIndex;
    const id = meta["_id"];
    if (typeof index !== "string" || typeof id !== "string") throw illegal("index and id are required here");
    if (action === "delete") items.push({ action, index, id });
    else items.push({ action, index, id, source: objectIn(lines[++at] ?? "") });
  }
  return items;
}

/** Carries a bulk out item by item. `instead` may answer one with an error of its own. */
export function runBulk(
  cluster: Cluster,
  items: readonly BulkItem[],
  instead: (item: BulkItem) => ElasticError | undefined,
): { readonly errors: boolean; readonly items: object[] } {
  let errors = false;
  const answers = items.map((item) => {
    try {
      const failure = instead(item);
      if (failure) throw failure;
      return { [item.action]: runItem(cluster, item) };
    } catch (error) {
      if (!(error instanceof ElasticError)) throw error;
      errors = true;
      const { index, id } = item;
      return { [item.action]: { _index: index, _id: id, status: error.status, error: itemError(error) } };
    }
  });
  return { errors, items: answers };
}

function runItem(cluster: Cluster, { action, index, id, source }: BulkItem): object {
  const common = { _index: index, _id: id, _shards: { total: 2, successful: 1, failed: 0 }, _primary_term: 1 };
  if (action === "delete" || !source) {
    const { version, seqNo, found } = cluster.delete(index, id);
    const result = found ? "deleted" : "not_found";
    return { ...common, _version: version, result, _seq_no: seqNo, status: found ? 200 : 404 };
  }
  if (action === "create" && cluster.indices.get(index)?.documents.has(id)) {
    throw new ElasticError(
      409,
      "version_conflict_engine_exception",
      `[${id}]: version conflict, document already exists`,
    );
  }
  const { stored, isNew } = cluster.index(index, id, source);
  const result = isNew ? "created" : "updated";
  return { ...common, _version: stored.version, result, _seq_no: stored.seqNo, status: isNew ? 201 : 200 };
}

/** Refreshes what a request wrote to, as its `refresh` parameter says. */
export function refreshAfter(cluster: Cluster, names: readonly string[], how: string | undefined): void {
  if (how === undefined || how === "false") return;
  if (how !== "true" && how !== "" && how !== "wait_for") throw illegal(`Unknown value for refresh: [${how}].`);
  for (const name of new Set(names)) {
    const index = cluster.indices.get(name);
    if (index) refresh(index);
  }
}

/** A JSON object; numbers are kept as they are written. */
export function objectIn(text: string): JsonObject {
  const parsed = parseJson(text, 1_000);
  const duplicate = parsed.ok ? parsed.findings.find(({ code }) => code === "form.duplicate-key") : undefined;
  if (duplicate)
    throw new ElasticError(400, "x_content_parse_exception", `[1:1] Duplicate field '${duplicate.pointer}'`);
  if (!parsed.ok || !isObject(parsed.value)) {
    const reason = parsed.ok ? "an object is expected" : parsed.problem.message;
    throw new ElasticError(400, "x_content_parse_exception", `[1:1] ${reason}`);
  }
  return parsed.value;
}

const malformedLine = (line: number): ElasticError =>
  illegal(`Malformed action/metadata line [${line}], expected one of [create, delete, index, update]`);
