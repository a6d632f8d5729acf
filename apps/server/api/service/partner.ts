import { VconError } from "@vcon-server/core";
import type { Accepted } from "./intake.ts";
import type { Store } from "./store.ts";
import type { Vcons } from "./vcons.ts";

/**
 * Stores and queues what a partner sent, unless the uuid is taken by other content: a partner may repeat itself, but
 * may not write over a vCon, wherever that is kept.
 */
export async function storeForPartner(
  { store, vcons }: { readonly store: Pick<Store, "put">; readonly vcons: Pick<Vcons, "load"> },
  accepted: Accepted,
  list: string,
): Promise<void> {
  const request = { lists: [list], requeue: false, condition: { absent: true } } as const;
  try {
    await store.put(accepted, request);
  } catch (error) {
    if (!(error instanceof VconError && error.code === "VCON_PRECONDITION")) throw error;
    const current = await vcons.load(accepted.uuid);
    if (current?.submitted === accepted.submitted) return;
    throw new VconError(
      "VCON_CONFLICT",
      `there is a vCon ${accepted.uuid} with other content; send this one under a uuid of its own`,
    );
  }
}
