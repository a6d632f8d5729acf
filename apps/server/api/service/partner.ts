import { createHash } from "node:crypto";
import { VconError } from "@vcon-server/core";
import type { Backend, Document, Precondition, Submitter } from "@vcon-server/core/backend";
import type { GatewayDeps } from "../deps.ts";
import type { Accepted } from "./intake.ts";
import type { Store } from "./store.ts";
import type { Vcons } from "./vcons.ts";

/** A partner's submission: the list it is for, and whose key it came with. */
export interface PartnerRequest {
  readonly list: string;
  readonly submitter: Submitter;
}

export interface PartnerDeps extends Pick<GatewayDeps, "reader" | "settings"> {
  readonly backend: Pick<Backend, "read" | "submitters">;
  readonly store: Pick<Store, "submit">;
  readonly vcons: Pick<Vcons, "load">;
}

/** Tries for a state that moves on meanwhile. */
const TRIES = 8;

/**
 * Names the holder of a key without giving the key away: several partners may have keys of one list, and one partner
 * may send to several lists.
 */
export const identifyPartner = (key: string): string =>
  `partner:${createHash("sha256").update(`vcon-server partner ${key}`).digest("hex").slice(0, 16)}`;

/**
 * Stores and queues what a partner sent and returns how many lists received it. A vCon that is there with the same
 * content is queued, once a list, also when another submitter stored it; other content replaces only what this partner
 * sent itself. Throws a 409 for a uuid that is taken, also where only the storages or the record of submitters know it,
 * and a 503 where they cannot be asked.
 */
export async function storeForPartner(
  deps: PartnerDeps,
  accepted: Accepted,
  { list, submitter }: PartnerRequest,
): Promise<number> {
  const { uuid } = accepted;
  for (let tries = 0; tries < TRIES; tries++) {
    const offer = await judge(deps, accepted, submitter);
    const result = await deps.store.submit(accepted, { lists: [list], requeue: false, ...offer });
    if (result.kind !== "refused") return result.queued;
  }
  throw new VconError("VCON_CONFLICT", `the vCon ${uuid} kept changing during ${TRIES} tries; send it again`);
}

interface Offer {
  /** The state the decision was made on: one that has moved on meanwhile is judged anew. */
  readonly precondition: Precondition;
  /** Absent where the vCon stays with the submitter it has. */
  readonly submitter?: Submitter;
}

async function judge(deps: PartnerDeps, accepted: Accepted, submitter: Submitter): Promise<Offer> {
  const { uuid } = accepted;
  const [[kept], [owner]] = await Promise.all([deps.backend.read([uuid]), deps.backend.submitters([uuid])]);
  const own = owner === submitter.id;
  const document = kept ?? (own ? undefined : await findElsewhere(deps, uuid, owner));
  if (document === undefined) return { precondition: { absent: true }, submitter };
  const precondition = { match: [document.rev] };
  if (own) return { precondition, submitter };
  if (hasContent(document, accepted)) return { precondition };
  throw refuseTaken(uuid);
}

const hasContent = (document: Document, { submitted, bytes }: Accepted): boolean =>
  document.submitted === submitted || Buffer.compare(document.bytes, bytes) === 0;

/**
 * Looks for a vCon that has no working copy. The storages are asked whether or not documents are served from them:
 * what only they have must not be written over either.
 */
async function findElsewhere(
  { vcons, reader, settings }: PartnerDeps,
  uuid: Accepted["uuid"],
  owner: string | undefined,
): Promise<Document | undefined> {
  // the record says enough where the storages cannot be asked
  const unreadable = (error: unknown) => {
    throw owner === undefined ? error : refuseTaken(uuid);
  };
  const found = settings.storageFallback ? await vcons.load(uuid).catch(unreadable) : undefined;
  if (found) return found;
  const isTaken = owner !== undefined || (!settings.storageFallback && (await reader.load(uuid)) !== undefined);
  if (isTaken) throw refuseTaken(uuid);
  return undefined;
}

const refuseTaken = (uuid: string): VconError =>
  new VconError(
    "VCON_CONFLICT",
    `the uuid ${uuid} is taken by a vCon of another submitter; send this one under a uuid of its own`,
  );
