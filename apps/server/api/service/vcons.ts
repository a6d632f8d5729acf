import type { Document, Submission, SubmitResult } from "@vcon-server/core/backend";
import { createBatcher, loadThrough } from "@vcon-server/core/engine";
import type { VconUuid } from "@vcon-server/vcon";
import type { GatewayDeps } from "../deps.ts";

/** Documents as the routes need them: found wherever they are, stored in batches. */
export interface Vcons {
  /** The newest document, from the backend or a storage that can read. `undefined`: no place has it. */
  load(uuid: VconUuid): Promise<Document | undefined>;
  /** Loads many, in the order asked for; nothing limits what they take together. See `readEach`. */
  loadMany(uuids: readonly VconUuid[]): Promise<(Document | undefined)[]>;
  /** Bytes of working copies; `undefined` where only `load` would tell. */
  sizes(uuids: readonly VconUuid[]): Promise<(number | undefined)[]>;
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
    sizes: (uuids) => backend.sizes(uuids),
    submit: (submission) => together.add(submission),
    sequence() {
      const ordered = createBatcher(send, IN_ORDER);
      return (submission) => ordered.add(submission);
    },
  };
}
