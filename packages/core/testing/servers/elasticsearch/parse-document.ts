import { isRawNumber, type Json } from "@vcon-server/vcon";
import { ElasticError, illegal } from "./errors.ts";
import { checkSize, dynamicField, type Field, isDate, isOn, type Mapping, typeOf } from "./mapping.ts";

export type JsonObject = { readonly [member: string]: Json };

/** What becomes of a document in an index: the terms it is found by, and the mapping with the fields it added. */
export interface ParsedDocument {
  readonly terms: ReadonlyMap<string, ReadonlySet<string>>;
  readonly mapping: Mapping;
}

interface Context {
  readonly id: string;
  /** Before 8.8 the same failure has another name. */
  readonly errorType: "document_parsing_exception" | "mapper_parsing_exception";
  readonly mapping: Mapping;
  readonly terms: Map<string, Set<string>>;
}

interface Holder {
  readonly dynamic?: Field["dynamic"];
  readonly properties?: Record<string, Field>;
}

/** Longest term of Lucene, in bytes. */
const MAX_TERM = 32_766;
const METADATA = ["_id", "_index", "_source", "_routing", "_ignored", "_field_names", "_doc_count", "_tier", "_seq_no"];

/** Parses a document as its mapping says. Throws what Elasticsearch says when it refuses one. */
export function parseDocument(
  { mapping, errorType }: Pick<Context, "mapping" | "errorType">,
  id: string,
  source: JsonObject,
): ParsedDocument {
  const context = { id, errorType, mapping: structuredClone(mapping), terms: new Map<string, Set<string>>() };
  const metadata = Object.keys(source).find((name) => METADATA.includes(name));
  if (metadata !== undefined) {
    const reason = `Field [${metadata}] is a metadata field and cannot be added inside a document. Use the index API request parameters.`;
    throw refused(context, reason);
  }
  parseObject(context, context.mapping, "", source);
  checkSize(context.mapping);
  return context;
}

function parseObject(context: Context, holder: Holder, path: string, object: JsonObject): void {
  for (const [name, value] of Object.entries(object)) {
    const [first = "", ...rest] = splitName(context, name);
    // a name with dots means nested objects
    parseValue(context, holder, { path, name: first }, rest.length > 0 ? { [rest.join(".")]: value } : value);
  }
}

function splitName(context: Context, name: string): string[] {
  if (name === "") throw refused(context, "field name cannot be an empty string");
  const parts = name.split(".");
  if (parts.every((part) => part === "")) throw refused(context, "field name cannot contain only dots");
  if (parts.some((part) => part.trim() === "")) {
    throw refused(context, `field name starting or ending with a [.] makes object resolution ambiguous: [${name}]`);
  }
  return parts;
}

function parseValue(context: Context, holder: Holder, at: { path: string; name: string }, value: Json): void {
  const { path, name } = at;
  const full = path === "" ? name : `${path}.${name}`;
  const properties = holder.properties ?? {};
  const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (known?.enabled === false) return;
  if (Array.isArray(value)) {
    for (const element of value) parseValue(context, holder, at, element);
    return;
  }
  if (value === null) return;
  const field = known ?? addDynamically(context, holder, { name, value });
  if (!field) return;
  if (typeOf(field) !== "object") {
    parseLeaf(context, field, full, value);
    return;
  }
  if (!isObject(value)) {
    throw refused(
      context,
      `object mapping for [${full}] tried to parse field [${name}] as object, but found a concrete value`,
    );
  }
  parseObject(context, { ...field, dynamic: field.dynamic ?? holder.dynamic ?? true }, full, value);
}

/** A field that is not in the mapping yet, added to it; `undefined` where new fields are ignored. */
function addDynamically(
  context: Context,
  holder: Holder,
  { name, value }: { name: string; value: Json },
): Field | undefined {
  const dynamic = holder.dynamic ?? true;
  if (dynamic === "strict") {
    const reason = `mapping set to strict, dynamic introduction of [${name}] within [_doc] is not allowed`;
    throw new ElasticError(400, "strict_dynamic_mapping_exception", `[1:1] ${reason}`);
  }
  if (!isOn(dynamic)) return undefined;
  const shape = isRawNumber(value) ? Number(textOf(value)) : value;
  const field = dynamicField(shape, context.mapping.date_detection ?? true);
  if (holder.properties)
    Object.defineProperty(holder.properties, name, {
      value: field,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return field;
}

function parseLeaf(context: Context, field: Field, path: string, value: Json): void {
  const type = typeOf(field);
  if (type === "flattened") {
    parseFlattened(context, field, path, value);
    return;
  }
  if (isObject(value)) {
    const cause = { type: "illegal_state_exception", reason: "Can't get text on a START_OBJECT at 1:1" };
    throw refusedField(context, { path, type, value, cause });
  }
  const terms = termsOf(type, value);
  if (terms) add(context, field, path, terms);
  else if (!field.ignore_malformed) {
    const reason =
      type === "date"
        ? `failed to parse date field [${textOf(value)}] with format [strict_date_optional_time||epoch_millis]`
        : `For input string: "${textOf(value)}"`;
    throw refusedField(context, { path, type, value, cause: { type: "illegal_argument_exception", reason } });
  }
  for (const [name, inner] of Object.entries(field.fields ?? {})) parseLeaf(context, inner, `${path}.${name}`, value);
}

/** The terms a value is found by; `undefined` when the type cannot take it. */
function termsOf(type: string, value: Json): string[] | undefined {
  const text = textOf(value);
  switch (type) {
    case "text":
      return tokensOf(text);
    case "keyword":
      return [text];
    case "boolean":
      return ["true", "false", ""].includes(text) ? [text || "false"] : undefined;
    case "date":
      // milliseconds, of many more years than JavaScript knows
      if (/^-?\d+$/.test(text)) return [text];
      return isDate(text) ? [text] : undefined;
    default: {
      const isNumber = typeof value !== "boolean" && text.trim() !== "" && Number.isFinite(Number(text));
      return isNumber ? [String(Number(text))] : undefined;
    }
  }
}

/** Words in lower case, about as the standard analyzer finds them; it cuts those of more than 255 characters. */
export const tokensOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}_]{1,255}/gu) ?? [];

function add(context: Context, field: Field, path: string, terms: readonly string[]): void {
  const all = context.terms.get(path) ?? new Set();
  context.terms.set(path, all);
  for (const term of terms) {
    if (term.length > (field.ignore_above ?? Number.POSITIVE_INFINITY)) continue;
    const isKept = field.index !== false || field.doc_values !== false;
    if (isKept && Buffer.byteLength(term) > MAX_TERM) {
      throw illegal(
        `Document contains at least one immense term in field="${path}" (whose UTF8 encoding is longer than the max length ${MAX_TERM}), all of which were skipped.`,
      );
    }
    if (field.index !== false) all.add(term);
  }
}

function parseFlattened(context: Context, field: Field, path: string, value: Json): void {
  if (!isObject(value)) {
    const reason = "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_STRING]";
    throw refusedField(context, { path, type: "flattened", value, cause: { type: "parsing_exception", reason } });
  }
  const fail = (reason: string) =>
    refusedField(context, { path, type: "flattened", value, cause: { type: "illegal_argument_exception", reason } });
  const visit = (inner: Json, key: string, depth: number): void => {
    if (inner === null) return;
    if (Array.isArray(inner)) for (const element of inner) visit(element, key, depth);
    else if (isObject(inner)) {
      if (depth > (field.depth_limit ?? 20)) {
        throw fail(
          `The provided [flattened] field [${path}] exceeds the maximum depth limit of [${field.depth_limit ?? 20}].`,
        );
      }
      for (const [name, child] of Object.entries(inner)) visit(child, key === "" ? name : `${key}.${name}`, depth + 1);
    } else {
      const text = textOf(inner);
      if (text.length > (field.ignore_above ?? Number.POSITIVE_INFINITY)) return;
      if (Buffer.byteLength(`${key}\0${text}`) > MAX_TERM)
        throw fail(
          `Flattened field [${path}] contains one immense field whose keyed encoding is longer than the allowed max length of ${MAX_TERM} bytes.`,
        );
      add(context, field, path, [text]);
      add(context, field, `${path}.${key}`, [text]);
    }
  };
  visit(value, "", 1);
}

interface Misfit {
  readonly path: string;
  readonly type: string;
  readonly value: Json;
  readonly cause: { readonly type: string; readonly reason: string };
}

const refusedField = (context: Context, { path, type, value, cause }: Misfit): ElasticError =>
  refused(
    context,
    `failed to parse field [${path}] of type [${type}] in document with id '${context.id}'. Preview of field's value: '${textOf(value).slice(0, 80)}'`,
    cause,
  );

const refused = ({ errorType }: Context, reason: string, cause?: Misfit["cause"]): ElasticError =>
  new ElasticError(
    400,
    errorType,
    errorType === "document_parsing_exception" ? `[1:1] ${reason}` : reason,
    cause ? { caused_by: cause } : {},
  );

export const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);

const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
