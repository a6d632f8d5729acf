import type { Backend, Claim } from "@vcon-server/core/backend";
import { indexOf, parseVcon, toBytes, type Vcon } from "@vcon-server/vcon";

/** The oldest entry of the list, leased as a worker would lease it. */
export async function claimFrom(backend: Backend, list: string): Promise<Claim> {
  const lists = [{ name: list, chain: "work", max: 1 }];
  const { runs } = await backend.claim({ owner: "worker", lists, suspects: false });
  const [run] = runs;
  if (run === undefined) throw new Error(`nothing waits in ${list}`);
  return run;
}

/** Runs a link on the oldest entry of the list, stores what it makes and ends the run. */
export async function work(backend: Backend, list: string, link: (vcon: Vcon) => Vcon): Promise<void> {
  const lease = await claimFrom(backend, list);
  const document = lease.document;
  if (document === undefined) throw new Error(`the vCon ${lease.uuid} has no working copy`);
  const vcon = link(parseVcon(document.bytes));
  const [result] = await backend.settle([
    {
      kind: "done",
      lease,
      change: { base: document.rev, bytes: toBytes(vcon), index: indexOf(vcon) },
      sendTo: [],
      storages: [],
      required: [],
      egress: [],
      expiry: { kind: "keep" },
      dlq: `${list}_dlq`,
      deliveryLease: 1000,
    },
  ]);
  if (result?.kind !== "ok") throw new Error(`the run ended as ${result?.kind}`);
}

/** Dead-letters the oldest entry of the list. */
export async function bury(backend: Backend, list: string, dlq: string): Promise<void> {
  const lease = await claimFrom(backend, list);
  const record = {
    v: 1,
    uuid: lease.uuid,
    chain: "work",
    list,
    kind: "link",
    link: "webhook",
    code: "VCON_LINK_FAILED",
    message: "webhook answered 500",
    causes: ["500"],
    attempt: 4,
    deaths: 0,
    at: 1_767_323_045_000,
    config: "0123456789ab",
    worker: "worker",
  } as const;
  await backend.settle([{ kind: "dead", lease, dlq, record }]);
}
