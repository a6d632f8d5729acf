import { VconError } from "@vcon-server/core";
import {
  type Backend,
  BatchFailure,
  type Document,
  type Submission,
  type SubmitResult,
} from "@vcon-server/core/backend";
import { createBatcher, loadThrough } from "@vcon-server/core/engine";
import type { VconUuid } from "@vcon-server/vcon";
import type { GatewayDeps } from "../deps.ts";

/** Documents as the routes need them: found wherever they are, stored in batches. */
export interface Vcons {
  /** The newest document, from the backend or a storage that can read. `undefined`: no place has it. */
  load(uuid: VconUuid): Promise<Document | undefined>;
  /** The same for many, in the order asked for. */
  loadMany(uuids: readonly VconUuid[]): Promise<(Document | undefined)[]>;
  /** Stores one document; what arrives together travels to the backend together. */
  submit(submission: Submission): Promise<SubmitResult>;
  /** The same for a sequence of documents that must be stored in their order. */
  sequence(): (submission: Submission) => Promise<SubmitResult>;
}

/** Documents that are asked of storages at a time for one request. */
const FALL_THROUGH = 8;
const weigh = ({ bytes }: Submission): number => bytes.byteLength;
const TOGETHER = { max: 128, parallel: 4, weigh };
/** Order is kept by sending one batch after the other. */
const IN_ORDER = { max: 128, parallel: 1, weigh };

export function createVcons({
  backend,
  reader,
  settings,
}: Pick<GatewayDeps, "backend" | "reader" | "settings">): Vcons {
  const send = (batch: Submission[]) => backend.submit(batch);
  const together = createBatcher(send, TOGETHER);
  const from = { backend, storages: reader, ttl: settings.redisExpiry };

  async function load(uuid: VconUuid): Promise<Document | undefined> {
    if (settings.storageFallback) return loadThrough(uuid, from);
    const [kept] = await backend.read([uuid]);
    return kept;
  }

  async function loadMany(uuids: readonly VconUuid[]): Promise<(Document | undefined)[]> {
    const found = await backend.read(uuids);
    if (!settings.storageFallback) return found;
    const missing = [...new Set(uuids.filter((_, at) => found[at] === undefined))];
    const late = new Map<VconUuid, Document | undefined>();
    const fetchers = Array.from({ length: Math.min(FALL_THROUGH, missing.length) }, async () => {
      for (let uuid = missing.pop(); uuid !== undefined; uuid = missing.pop())
        late.set(uuid, await loadThrough(uuid, from));
    });
    await Promise.all(fetchers);
    return found.map((document, at) => document ?? late.get(uuids[at]!));
  }

  return {
    load,
    loadMany,
    submit: (submission) => together.add(submission),
    sequence() {
      const ordered = createBatcher(send, IN_ORDER);
      return (submission) => ordered.add(submission);
    },
  };
}

/** Uuids of these that exist, in the order given, with the ones that do not. Documents are looked at in small groups. */
export async function existing(
  vcons: Pick<Vcons, "loadMany">,
  uuids: readonly VconUuid[],
): Promise<{ readonly found: VconUuid[]; readonly unknown: VconUuid[] }> {
  const found: VconUuid[] = [];
  const unknown: VconUuid[] = [];
  for (let at = 0; at < uuids.length; at += GROUP) {
    const group = uuids.slice(at, at + GROUP);
    const documents = await vcons.loadMany(group);
    for (const [index, uuid] of group.entries()) (documents[index] ? found : unknown).push(uuid);
  }
  return { found, unknown };
}

const GROUP = 64;

/** Reads what can be read: one key that holds something else must not hide the others. */
async function readSound(
  backend: Pick<Backend, "read">,
  uuids: readonly VconUuid[],
  skipped: (uuid: VconUuid, error: unknown) => void,
): Promise<readonly (Document | undefined)[]> {
  try {
    return await backend.read(uuids);
  } catch (error) {
    if (!(error instanceof BatchFailure)) throw error;
    return error.results.map((result: Document | VconError | undefined, at) => {
      if (!(result instanceof VconError)) return result;
      skipped(uuids[at] as VconUuid, result);
      return undefined;
    });
  }
}

/** Rewrites the index entries of every working copy. Documents that cannot be read are told to `skipped` and left out. */
export async function reindexAll(
  backend: Pick<Backend, "scan" | "read" | "reindex">,
  indexed: (document: Document) => Parameters<Backend["reindex"]>[0][number],
  skipped: (uuid: VconUuid, error: unknown) => void,
): Promise<number> {
  let count = 0;
  for await (const batch of backend.scan()) {
    for (let at = 0; at < batch.length; at += GROUP) {
      const documents = await readSound(backend, batch.slice(at, at + GROUP), skipped);
      const entries = documents.flatMap((document) => {
        if (!document) return [];
        try {
          return [indexed(document)];
        } catch (error) {
          skipped(document.uuid, error);
          return [];
        }
      });
      await backend.reindex(entries);
      count += entries.length;
    }
  }
  return count;
}
