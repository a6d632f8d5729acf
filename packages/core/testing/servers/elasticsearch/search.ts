import type { Json } from "@vcon-server/vcon";
import { ElasticError } from "./errors.ts";
import { isObject, type JsonObject, tokensOf } from "./parse-document.ts";

/** A document as a search sees it. */
interface Findable {
  readonly id: string;
  readonly terms: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Whether a document matches a query: the few kinds that tests and clean-ups need. */
export function matches(query: Json, doc: Findable): boolean {
  const [kind, body] = isObject(query) ? (Object.entries(query)[0] ?? []) : [];
  if (kind === undefined || !isObject(body ?? null)) throw parsing("query malformed, empty clause found");
  const inside = body as JsonObject;
  switch (kind) {
    case "match_all":
      return true;
    case "ids":
      return listOf(inside["values"]).includes(doc.id);
    case "exists":
      return (doc.terms.get(String(inside["field"]))?.size ?? 0) > 0;
    case "term":
      return fieldIn(inside, "value", (field, value) => doc.terms.get(field)?.has(value) === true);
    case "match":
      return fieldIn(inside, "query", (field, value) => {
        const terms = doc.terms.get(field);
        return terms !== undefined && (terms.has(value) || tokensOf(value).some((token) => terms.has(token)));
      });
    case "bool":
      return bool(inside, doc);
    default:
      throw parsing(`unknown query [${kind}]`);
  }
}

function bool(clauses: JsonObject, doc: Findable): boolean {
  const listed = (name: string) => listOf(clauses[name]);
  const all = [...listed("must"), ...listed("filter")].every((query) => matches(query, doc));
  const none = !listed("must_not").some((query) => matches(query, doc));
  const should = listed("should");
  const needed = Number(clauses["minimum_should_match"] ?? (clauses["must"] || clauses["filter"] ? 0 : 1));
  const enough = should.length === 0 || should.filter((query) => matches(query, doc)).length >= needed;
  return all && none && enough;
}

/** Reads `{field: value}` or `{field: {[name]: value}}`. */
function fieldIn(body: JsonObject, name: string, test: (field: string, value: string) => boolean): boolean {
  const [field, given] = Object.entries(body)[0] ?? [];
  if (field === undefined || given === undefined) throw parsing("query requires a field name");
  const value = isObject(given) ? given[name] : given;
  return test(field, String(value));
}

const listOf = (value: Json | undefined): readonly Json[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const parsing = (reason: string): ElasticError => new ElasticError(400, "parsing_exception", reason);
