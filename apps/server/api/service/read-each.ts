import { asVconError, type VconError } from "@vcon-server/core";
import type { Backend, Document } from "@vcon-server/core/backend";
import { parseJson, type VconUuid } from "@vcon-server/vcon";
import type { Vcons } from "./vcons.ts";

/** Bytes and documents that are read at a time. */
const GROUP_BYTES = 8 * 1024 * 1024;
const GROUP_COUNT = 64;
/** Bytes that a document of unknown size counts for: eight of them are read at a time. */
const UNKNOWN_BYTES = GROUP_BYTES / 8;

/** A document, its absence, or why it cannot be read although it is there. */
export interface Found {
  readonly uuid: VconUuid;
  readonly document: Document | undefined;
  readonly failure?: VconError;
}

/** Splits uuids into groups of documents that may be in memory together; one that is larger stands alone. */
export function groupBySize<Id>(uuids: readonly Id[], sizes: readonly (number | undefined)[]): Id[][] {
  const groups: Id[][] = [];
  let bytes = 0;
  for (const [at, uuid] of uuids.entries()) {
    const size = sizes[at] ?? UNKNOWN_BYTES;
    const last = groups.at(-1);
    if (last !== undefined && last.length < GROUP_COUNT && bytes + size <= GROUP_BYTES) {
      last.push(uuid);
      bytes += size;
    } else {
      groups.push([uuid]);
      bytes = size;
    }
  }
  return groups;
}

/**
 * Reads documents in the order asked for, few at a time however many there are. One that is damaged is told as a
 * failure and does not fail the others; an outage fails them all.
 */
export async function* readEach(
  vcons: Pick<Vcons, "loadMany" | "sizes">,
  uuids: readonly VconUuid[],
): AsyncGenerator<Found> {
  for (const group of groupBySize(uuids, await vcons.sizes(uuids))) yield* await readGroup(vcons, group);
}

async function readGroup(vcons: Pick<Vcons, "loadMany">, group: readonly VconUuid[]): Promise<Found[]> {
  try {
    const documents = await vcons.loadMany(group);
    return group.map((uuid, at) => judge(uuid, documents[at]));
  } catch (error) {
    const failure = asVconError(error, "VCON_INTERNAL", "reading vCons");
    if (failure.status === 503) throw failure;
    const [uuid] = group;
    if (uuid !== undefined && group.length === 1) return [{ uuid, document: undefined, failure }];
    const found: Found[] = [];
    for (const each of group) found.push(...(await readGroup(vcons, [each])));
    return found;
  }
}

/** Bytes of other programs may be anything, and would break the JSON they are put into. */
function judge(uuid: VconUuid, document: Document | undefined): Found {
  if (document === undefined || typeof document.rev === "number") return { uuid, document };
  const parsed = parseJson(document.bytes);
  if (parsed.ok) return { uuid, document };
  const failure = asVconError(
    new Error(`${parsed.problem.message} at byte ${parsed.problem.offset}`),
    "VCON_BACKEND_CORRUPT",
    `reading the vCon ${uuid}, which another program wrote`,
  );
  return { uuid, document: undefined, failure };
}

/**
 * Uuids of these that exist, in the order given, with the ones that do not. One that is there but cannot be read counts
 * as existing: what is to be done with it says so.
 */
export async function existing(
  vcons: Pick<Vcons, "loadMany" | "sizes">,
  uuids: readonly VconUuid[],
): Promise<{ readonly found: VconUuid[]; readonly unknown: VconUuid[] }> {
  const sizes = await askInGroups(uuids, (group) => vcons.sizes(group));
  const known = new Set(uuids.filter((_, at) => sizes[at] !== undefined));
  const missing = [...new Set(uuids.filter((uuid) => !known.has(uuid)))];
  for (const group of groupBySize(missing, []))
    for (const { uuid, document, failure } of await readGroup(vcons, group)) if (document || failure) known.add(uuid);
  return { found: uuids.filter((uuid) => known.has(uuid)), unknown: uuids.filter((uuid) => !known.has(uuid)) };
}

/** Sizes asked for at a time. */
const ASKED = 1000;

async function askInGroups<Id, Answer>(ids: readonly Id[], ask: (group: readonly Id[]) => Promise<Answer[]>) {
  const answers: Answer[] = [];
  for (let at = 0; at < ids.length; at += ASKED) answers.push(...(await ask(ids.slice(at, at + ASKED))));
  return answers;
}

/** Rewrites the index entries of every working copy. Documents that cannot be read are told to `skipped` and left out. */
export async function reindexAll(
  backend: Pick<Backend, "scan" | "read" | "sizes" | "reindex">,
  indexed: (document: Document) => Parameters<Backend["reindex"]>[0][number],
  skipped: (uuid: VconUuid, error: unknown) => void,
): Promise<number> {
  let count = 0;
  const source = { loadMany: (uuids: readonly VconUuid[]) => backend.read(uuids) };
  for await (const batch of backend.scan()) {
    for (const group of groupBySize(batch, await backend.sizes(batch))) {
      const entries = (await readGroup(source, group)).flatMap(({ uuid, document, failure }) => {
        try {
          if (failure) throw failure;
          return document ? [indexed(document)] : [];
        } catch (error) {
          skipped(uuid, error);
          return [];
        }
      });
      await backend.reindex(entries);
      count += entries.length;
    }
  }
  return count;
}
