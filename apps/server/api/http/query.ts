import { nearest } from "@vcon-server/core/config";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { type Issue, invalid } from "./problem.ts";

/** Parameters that name lists or vCons: neither can hold a comma or a space, and clients join and pad them. */
const NAMES: ReadonlySet<string> = new Set([
  "ingress_lists",
  "ingress_list",
  "egress_list",
  "list",
  "list_name",
  "vcon_uuids",
]);

/** Parameters where naming the same twice means no more than naming it once. */
const SETS: ReadonlySet<string> = new Set(["ingress_lists"]);

const knownParameters = (request: FastifyRequest): readonly string[] => {
  const schema = request.routeOptions.schema?.querystring;
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
};

/**
 * Rewrites the query into what the route calls its parameters: brackets after a name (`ingress_lists[]`) go, singular
 * and plural are one, and names that are joined by commas come apart. Runs before anything looks at the query, so that
 * the check of a partner's key and the handler read the same.
 */
export function tidyQuery(request: FastifyRequest): void {
  const known = knownParameters(request);
  if (known.length === 0 || typeof request.query !== "object" || request.query === null) return;
  request.query = tidyParameters(request.query, known);
}

/** Returns the parameters under the names a route knows, with names that were joined as an array. */
export function tidyParameters(query: object, known: readonly string[]): Readonly<Record<string, unknown>> {
  const tidy = new Map<string, unknown[]>();
  for (const [given, value] of Object.entries(query)) {
    const name = spellAsKnown(given, known);
    tidy.set(name, [...(tidy.get(name) ?? []), ...[value].flat()]);
  }
  return Object.fromEntries([...tidy].map(([name, values]) => [name, tidyValues(name, values)]));
}

function spellAsKnown(given: string, known: readonly string[]): string {
  const plain = given.replace(/\[\d*\]$/, "");
  return [plain, `${plain}s`, plain.replace(/s$/, "")].find((name) => known.includes(name)) ?? given;
}

function tidyValues(name: string, values: readonly unknown[]): unknown {
  const parts = NAMES.has(name) ? separateNames(values) : values;
  const distinct = SETS.has(name) ? [...new Set(parts)] : parts;
  return distinct.length === 1 ? distinct[0] : distinct;
}

function separateNames(values: readonly unknown[]): readonly unknown[] {
  const names = values
    .flatMap((value) => (typeof value === "string" ? value.split(",") : value))
    .map((value) => (typeof value === "string" ? value.trim() : value))
    .filter((value) => value !== "");
  // a parameter that names nothing is refused like any other malformed name, not taken as absent
  return names.length === 0 ? [""] : names;
}

/** Returns the `Link` header that leads on to the rest of an answer. */
export function linkNext(
  path: string,
  query: Readonly<Record<string, string | number | readonly string[] | undefined>>,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of [value].flat()) if (one !== undefined) search.append(name, String(one));
  return `<${path}?${search}>; rel="next"`;
}

/** Returns true for a request that changes something, as a GET that takes entries off a list. */
export const isChange = ({ method, routeOptions: { config } }: FastifyRequest): boolean =>
  config.changes ?? !["GET", "HEAD", "OPTIONS"].includes(method);

/**
 * Refuses parameters the route does not have, where the request changes something: a misspelt `ingress_lists` would
 * store a vCon that is never processed. Requests that only read go on ignoring them.
 */
export function checkQuery(request: FastifyRequest): void {
  if (!isChange(request) || request.is404 || typeof request.query !== "object" || request.query === null) return;
  const known = knownParameters(request);
  const unknown = Object.keys(request.query).filter((name) => name !== "" && !known.includes(name));
  if (unknown.length === 0) return;
  const issues = unknown.map(
    (name): Issue => ({ type: "extra_forbidden", loc: ["query", name.slice(0, 100)], msg: describe(name, known) }),
  );
  throw invalid("reading the query parameters", issues);
}

function describe(name: string, known: readonly string[]): string {
  const says = `There is no parameter ${JSON.stringify(name.slice(0, 100))} here`;
  const meant = nearest(name, known);
  if (meant !== undefined) return `${says}; did you mean ${meant}?`;
  return known.length === 0 ? `${says}; this request takes none` : `${says}; there are ${known.join(", ")}`;
}
