import type { Backend } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import { addressOf } from "../place.ts";
import type { OperationName, Operations } from "../wire/messages.ts";
import { createClientConnection } from "./connection.ts";

/** Entries one request moves at most, so that a long replay does not hold up others. */
const REPROCESS_ROUND = 500;

export type EmbeddedPlace = { readonly dataDir: string } | { readonly address: string };

/** The backend that the owner of this data directory serves. Throws `VCON_BACKEND_DOWN` when nobody serves it. */
export async function connectEmbedded(place: EmbeddedPlace): Promise<Backend> {
  const connection = createClientConnection("address" in place ? place.address : addressOf(place.dataDir));
  const remote =
    <Name extends OperationName>(name: Name) =>
    // what comes back is what the operation of the same name returned on the other side
    (...args: Parameters<Operations[Name]>) =>
      connection.call(name, args) as Promise<ReturnType<Operations[Name]>>;
  await remote("depths")([]).catch((error: unknown) => {
    connection.close();
    throw error;
  });
  return {
    kind: "embedded",
    read: readAll(remote("read")),
    sizes: remote("sizes"),
    submitters: remote("submitters"),
    submit: remote("submit"),
    restore: remote("restore"),
    remove: remote("remove"),
    list: remote("list"),
    search: remote("search"),
    reindex: remote("reindex"),
    scan: () => scanAll(remote("scanFrom")),
    push: remote("push"),
    pop: remote("pop"),
    depths: remote("depths"),
    peek: remote("peek"),
    claim: remote("claim"),
    waitForWork: (lists, timeout, signal) => connection.wait(lists, timeout, signal),
    heartbeat: remote("heartbeat"),
    abandon: remote("abandon"),
    giveBack: remote("giveBack"),
    suspects: remote("suspects"),
    checkpoint: remote("checkpoint"),
    settle: remote("settle"),
    claimDeliveries: remote("claimDeliveries"),
    settleDeliveries: remote("settleDeliveries"),
    deliveries: remote("deliveries"),
    backlog: remote("backlog"),
    deadLetters: remote("deadLetters"),
    reprocess: inRounds(remote("reprocess")),
    holdings: remote("holdings"),
    repair: remote("repair"),
    health: measured(remote("health")),
    async close() {
      connection.close();
    },
  };
}

/** An operation as the client calls it. */
type Remote<Name extends OperationName> = (
  ...args: Parameters<Operations[Name]>
) => Promise<ReturnType<Operations[Name]>>;

/** Asks until all are there: an answer holds only so many bytes. */
function readAll(read: Remote<"read">): Remote<"read"> {
  return async (uuids) => {
    const found = await read(uuids);
    while (found.length < uuids.length) found.push(...(await read(uuids.slice(found.length))));
    return found;
  };
}

async function* scanAll(scanFrom: Remote<"scanFrom">): AsyncIterable<VconUuid[]> {
  for (let found = await scanFrom(0); found !== undefined; found = await scanFrom(found.next)) yield found.uuids;
}

function inRounds(reprocess: Remote<"reprocess">): Remote<"reprocess"> {
  return async (dlq, count, filter) => {
    let moved = 0;
    while (moved < count) {
      const round = await reprocess(dlq, Math.min(count - moved, REPROCESS_ROUND), filter);
      if (round === 0) break;
      moved += round;
    }
    return moved;
  };
}

function measured(health: Remote<"health">): Backend["health"] {
  return async () => {
    const start = performance.now();
    const found = await health();
    return { ...found, latency: performance.now() - start };
  };
}
