import type { Context } from "./context.ts";
import { documentKeys, isKeySafe } from "./keys.ts";
import { integer, texts } from "./replies.ts";
import { read } from "./store.ts";

/** Keeps queued documents of other programs from expiring while they wait. */
export interface Adoption {
  /** Looks through a list in the background when that has not been done for a while. */
  lookThrough(list: string): void;
  close(): Promise<void>;
}

/** Milliseconds between two looks at one list: the Python server lets documents live for an hour. */
const INTERVAL_MS = 300_000;
/** Entries looked at per trip. */
const PAGE = 500;
const GROUP = 100;

/**
 * The Python server gives every document an expiry that runs while it waits in a list. What is taken over from it, or
 * pushed by it beside this server, must not expire before its turn.
 */
export function createAdoption(context: Context): Adoption {
  const { store, log } = context;
  const looked = new Map<string, number>();
  const looking = new Set<Promise<void>>();
  let closed = false;

  async function adoptAll(list: string): Promise<void> {
    let kept = 0;
    for (let at = 0; !closed; at += PAGE) {
      const entries = texts(await store.one("looking through a list", read("lrange", list, at, at + PAGE - 1)));
      const uuids = [...new Set(entries)].filter(isKeySafe);
      const replies = await store.inGroups("keeping queued vCons", {
        items: uuids,
        size: GROUP,
        command: (group) => store.call("adopt", group.flatMap(keysOf), []),
      });
      // one count for each group is repeated for its members: only whether there was any is of interest
      kept += replies.some((reply) => typeof reply === "number" && integer(reply) > 0) ? 1 : 0;
      if (entries.length < PAGE) break;
    }
    if (kept > 0) log.info("queued vCons of another program no longer expire while they wait", { list });
  }

  return {
    lookThrough(list) {
      const now = performance.now();
      if (closed || now - (looked.get(list) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return;
      looked.set(list, now);
      const work = adoptAll(list).catch((error: unknown) => {
        looked.delete(list);
        log.debug("looking through a list", { list, error: String(error) });
      });
      looking.add(work);
      void work.finally(() => looking.delete(work));
    },
    async close() {
      closed = true;
      await Promise.all(looking);
    },
  };
}

function keysOf(uuid: string): string[] {
  const { document, meta } = documentKeys(uuid);
  return [document, meta];
}
