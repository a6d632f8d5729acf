import { ElasticError, illegal } from "./errors.ts";

/** One field as a mapping defines it. Objects may leave their type out. */
export interface Field {
  readonly type?: string;
  readonly enabled?: boolean;
  readonly dynamic?: Dynamic;
  readonly properties?: Record<string, Field>;
  readonly fields?: Record<string, Field>;
  readonly ignore_above?: number;
  readonly ignore_malformed?: boolean;
  readonly depth_limit?: number;
  readonly index?: boolean;
  readonly doc_values?: boolean;
}

type Dynamic = boolean | "true" | "false" | "strict";

/** The mapping of an index. Dynamic fields are added to `properties`. */
export interface Mapping {
  readonly dynamic?: Dynamic;
  readonly date_detection?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
  readonly properties: Record<string, Field>;
}

const COMMON = ["type", "index", "doc_values", "store", "meta", "copy_to", "fields"];
const NUMBER = [...COMMON, "ignore_malformed", "coerce", "null_value"];

/** Documented parameters by field type; others are refused, as Elasticsearch does. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  object: ["type", "enabled", "dynamic", "properties", "subobjects"],
  text: [...COMMON, "analyzer", "search_analyzer", "norms", "index_options", "fielddata", "index_prefixes"],
  keyword: [...COMMON, "ignore_above", "null_value", "normalizer", "norms", "eager_global_ordinals"],
  long: NUMBER,
  integer: NUMBER,
  float: NUMBER,
  double: NUMBER,
  date: [...COMMON, "format", "locale", "ignore_malformed", "null_value"],
  boolean: [...COMMON, "ignore_malformed", "null_value"],
  flattened: [...COMMON, "depth_limit", "ignore_above", "null_value", "split_queries_on_whitespace"],
};

const TOP = ["dynamic", "date_detection", "numeric_detection", "dynamic_templates", "properties", "_meta", "_source"];

/** Checks a mapping given when an index is made. */
export function checkedMapping(given: Readonly<Record<string, unknown>>): Mapping {
  const unknown = Object.keys(given).find((name) => !TOP.includes(name));
  if (unknown) throw malformed(`Root mapping definition has unsupported parameters:  [${unknown}]`);
  const { properties = {}, ...rest } = given as Partial<Mapping>;
  for (const [name, field] of Object.entries(properties)) checkField(name, field);
  return { ...rest, properties };
}

function checkField(name: string, field: Field): void {
  const type = typeOf(field);
  const allowed = PARAMETERS[type];
  if (!allowed) throw malformed(`The mapper type [${type}] declared on field [${name}] does not exist.`);
  const unknown = Object.keys(field).find((parameter) => !allowed.includes(parameter));
  if (unknown) throw malformed(`unknown parameter [${unknown}] on mapper [${name}] of type [${type}]`);
  for (const [inner, child] of Object.entries({ ...field.properties, ...field.fields })) checkField(inner, child);
}

export const typeOf = (field: Field): string => field.type ?? "object";

export const isOn = (dynamic: Dynamic): boolean => dynamic === true || dynamic === "true";

const malformed = (reason: string): ElasticError =>
  new ElasticError(400, "mapper_parsing_exception", `Failed to parse mapping: ${reason}`, {
    caused_by: { type: "mapper_parsing_exception", reason },
  });

/** What Elasticsearch makes of a field it sees for the first time. */
export function dynamicField(value: unknown, dateDetection: boolean): Field {
  if (typeof value === "boolean") return { type: "boolean" };
  if (typeof value === "number") return { type: Number.isInteger(value) ? "long" : "float" };
  if (typeof value !== "string") return { properties: {} };
  const isNumber = value.trim() !== "" && !Number.isNaN(Number(value));
  if (dateDetection && !isNumber && isDate(value)) return { type: "date" };
  return { type: "text", fields: { keyword: { type: "keyword", ignore_above: 256 } } };
}

const DATE = /^\d{4}(?:-\d\d(?:-\d\d(?:T(?:\d\d(?::\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?)?)?)?$/;

/** Whether a text has the form `strict_date_optional_time`. */
export const isDate = (text: string): boolean => DATE.test(text) && !Number.isNaN(Date.parse(text.slice(0, 10)));

const LIMIT = 1_000;

/** Refuses a mapping that has grown beyond `index.mapping.total_fields.limit`. */
export function checkSize(mapping: Mapping): void {
  const count = (fields: Readonly<Record<string, Field>>): number =>
    Object.values(fields).reduce((sum, field) => sum + 1 + count({ ...field.properties, ...field.fields }), 0);
  if (count(mapping.properties) > LIMIT)
    throw illegal(`Limit of total fields [${LIMIT}] has been exceeded while adding new fields [1]`);
}
