import { z } from "zod";
import type { Options } from "./options.ts";

/** A shorter value is no secret, and might be found in any word. */
const SHORTEST_SECRET = 6;

/** Members in which APIs explain a failure, the clearest first. */
const EXPLAINING = ["detail", "error_description", "message", "error", "errors", "title", "reason", "code", "msg"];
/** Objects in objects and lists in lists that are looked into. */
const DEEPEST = 4;
const MOST_REASONS = 3;

/**
 * Returns what an answer explains, in one line; empty when it explains nothing. Of JSON only members that explain are
 * taken: others may repeat the vCon.
 */
export function explainAnswer(bytes: Uint8Array, secrets: readonly string[]): string {
  const text = new TextDecoder().decode(bytes).trim();
  const said = text.startsWith("<") ? readTitle(text) : /^[[{"]/.test(text) ? readReason(parse(text), DEEPEST) : text;
  return maskSecrets(said.replace(/\s+/g, " ").trim(), secrets);
}

/** An error page names the error in its title. */
function readTitle(html: string): string {
  const [, title = ""] = /<title[^>]{0,100}>([^<]{0,500})/i.exec(html) ?? [];
  return title;
}

/** JSON that is cut off explains nothing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const Members = z.record(z.string(), z.unknown());

function readReason(value: unknown, depth: number): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || depth === 0) return "";
  if (Array.isArray(value)) {
    const reasons = value.slice(0, MOST_REASONS).map((one) => readReason(one, depth - 1));
    return reasons.filter((reason) => reason !== "").join("; ");
  }
  const { data: members = {} } = Members.safeParse(value);
  for (const name of EXPLAINING) {
    const reason = readReason(members[name], depth - 1);
    if (reason !== "") return `${readPlace(members["loc"])}${reason}`;
  }
  return "";
}

/** Some APIs name the member that is at fault, such as `body.dialog.0`. */
function readPlace(loc: unknown): string {
  const { data = [] } = z.array(z.union([z.string(), z.number()])).safeParse(loc);
  return data.length === 0 ? "" : `${data.join(".")}: `;
}

/** Lists what must not appear in messages: values of headers, secrets, and what stands in the addresses. */
export function listSecrets(options: Options): string[] {
  const { headers, auth_header = "", secrets } = options;
  const found = [
    ...options["webhook-urls"].flatMap(listParts),
    ...[auth_header, ...Object.values(headers)].flatMap((value) => [value, value.replace(/^\S+\s+/, "")]),
    ...secrets.flatMap((secret) => [secret, secret.replace(/^whsec_/, "")]),
  ];
  // the longest first, or the rest of one that holds another would stay
  return found.filter(({ length }) => length >= SHORTEST_SECRET).toSorted((one, other) => other.length - one.length);
}

/** Many receivers know their callers by a token in the path or query. */
function listParts(url: string): string[] {
  const { pathname, search, searchParams, hash } = new URL(url);
  const segments = pathname.split("/");
  const decoded = segments.map((segment) => segment.replace(/(?:%[0-9a-f]{2})+/gi, decodeQuietly));
  return [url, `${pathname}${search}`, pathname, ...segments, ...decoded, ...searchParams.values(), hash.slice(1)];
}

function decodeQuietly(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

const maskSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .reduce((shown, secret) => shown.replaceAll(secret, "***"), text)
    .replace(/https?:\/\/\S+/gi, "an address")
    .replace(/\b(?:Bearer|Basic)\s+\S+/gi, "***")
    .replace(/\bwhsec_\S+|\bv1,\S{20,}/g, "***");

/** Returns the remedy for a status that no retry mends. */
export function findRemedy(status: number): string {
  if (status === 413)
    return "the vCon is too large for it: raise its limit, or keep recordings outside the vCon (dialog url)";
  return "check webhook-urls, headers, auth_header and secrets";
}
