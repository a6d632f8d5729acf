import type { StoredVcon } from "@vcon-server/core";

/** Each vCon of a batch once, in its newest revision: a batch may hold the same one twice. */
export function newestOf(docs: readonly StoredVcon[]): readonly StoredVcon[] {
  const newest = new Map<string, StoredVcon>();
  for (const doc of docs) if (doc.rev >= (newest.get(doc.uuid)?.rev ?? 0)) newest.set(doc.uuid, doc);
  return [...newest.values()];
}
