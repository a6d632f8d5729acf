import type { Backend } from "@vcon-server/core/backend";
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
  const scanFrom = remote("scanFrom");
  const reprocess = remote("reprocess");
  const health = remote("health");
  await remote("depths")([]).catch((error: unknown) => {
    connection.close();
    throw error;
  });
  return {
    kind: "embedded",
    read: remote("read"),
    submit: remote("submit"),
    restore: remote("restore"),
    remove: remote("remove"),
    list: remote("list"),
    search: remote("search"),
    reindex: remote("reindex"),
    async *scan() {
      for (let found = await scanFrom(0); found !== undefined; found = await scanFrom(found.next)) yield found.uuids;
    },
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
    async reprocess(dlq, count, filter) {
      let moved = 0;
      while (moved < count) {
        const round = await reprocess(dlq, Math.min(count - moved, REPROCESS_ROUND), filter);
        if (round === 0) break;
        moved += round;
      }
      return moved;
    },
    repair: remote("repair"),
    async health() {
      const start = performance.now();
      return { ...(await health()), latency: performance.now() - start };
    },
    async close() {
      connection.close();
    },
  };
}
