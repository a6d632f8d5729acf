import type { IncomingHttpHeaders } from "node:http";
import { VconError } from "@vcon-server/core";
import type { Document, Precondition, Revision } from "@vcon-server/core/backend";
import type { EgressVersion } from "@vcon-server/core/config";
import { invalidParameter } from "./problem.ts";

/** Entity tag of a document: its revision, and the version it is written in when one was asked for. */
export const etagOf = (rev: Revision, version?: EgressVersion): string =>
  `"${rev}${version === undefined ? "" : `-${version}`}"`;

/** Tags of an `If-Match` or `If-None-Match` header, without quotes; `*` as it is. */
function tagsOf(header: string): "*" | { readonly text: string; readonly weak: boolean }[] {
  if (header.trim() === "*") return "*";
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)].map(([, weak, text = ""]) => ({ text, weak: weak !== undefined }));
}

/** Whether a GET with this `If-None-Match` needs no body. */
export function isFresh(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = tagsOf(header);
  return tags === "*" || tags.some(({ text }) => `"${text}"` === etag);
}

/** The revision in a tag; the version a client read it in does not matter for what it may overwrite. */
function revisionOf(text: string): Revision | undefined {
  const rev = /^(\d{1,15}|x[0-9a-f]{16})(?:-\d+\.\d+\.\d+)?$/.exec(text)?.[1];
  if (rev === undefined) return undefined;
  return isContentRevision(rev) ? rev : Number(rev);
}

const isContentRevision = (rev: string): rev is `x${string}` => rev.startsWith("x");

/** Asks that something be there at all; which revision does not matter. */
export type Condition = Precondition | { readonly present: true };

/** What `If-Match` and `If-None-Match` of a writing request ask for; `undefined`: nothing. */
export function conditionOf(headers: IncomingHttpHeaders): Condition | undefined {
  const match = headers["if-match"];
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === "*" && match === undefined) return { absent: true };
    throw invalidParameter(
      "header",
      "if-none-match",
      "on writes only `If-None-Match: *` is supported; use If-Match for revisions",
    );
  }
  if (match === undefined) return undefined;
  const tags = tagsOf(match);
  if (tags === "*") return { present: true };
  const revisions = tags.flatMap(({ text, weak }) => (weak ? [] : (revisionOf(text) ?? [])));
  return { match: revisions };
}

/** Whether the stored document is what the condition asks for. */
export function holds(condition: Condition | undefined, document: Document | undefined): boolean {
  if (condition === undefined) return true;
  if ("absent" in condition) return document === undefined;
  if (document === undefined) return false;
  return "present" in condition || condition.match.includes(document.rev);
}

/** The 412 that names the state the vCon is in. */
export const preconditionFailed = (uuid: string, rev: Revision | undefined): VconError =>
  new VconError(
    "VCON_PRECONDITION",
    rev === undefined
      ? `there is no vCon ${uuid}; leave out If-Match to create it`
      : `the vCon ${uuid} is at ${etagOf(rev)}; fetch it again and repeat the change on what it is now`,
    { details: { rev } },
  );
