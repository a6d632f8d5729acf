import { VconError } from "@vcon-server/core";
import type { Document } from "@vcon-server/core/backend";
import { formOf, type Json, parseVcon, type VconUuid } from "@vcon-server/vcon";
import { type Condition, holds, preconditionFailed } from "../http/etag.ts";
import { type Accepted, takeInAs } from "./intake.ts";
import type { Store, Stored, StoreRequest } from "./store.ts";
import type { Vcons } from "./vcons.ts";

/** Turns what a vCon is into what it shall be. */
export type Change = (document: Json) => Json;

export interface ChangeRequest extends Omit<StoreRequest, "condition"> {
  readonly uuid: VconUuid;
  readonly change: Change;
  readonly profile: "tolerant" | "strict" | "legacy";
  readonly condition: Condition | undefined;
}

/** Tries when others write at the same time and the client did not name a revision. */
const TRIES = 10;

/**
 * Applies a change to the newest revision; when that moves on meanwhile, to the next one, unless the client named the
 * revision it means. `undefined`: there is no such vCon.
 */
export async function changeVcon(
  { store, vcons }: { readonly store: Store; readonly vcons: Pick<Vcons, "load"> },
  { uuid, change, profile, condition, ...request }: ChangeRequest,
): Promise<Stored | undefined> {
  for (let tries = 0; ; tries++) {
    const current = await vcons.load(uuid);
    if (!holds(condition, current)) throw preconditionFailed(uuid, current?.rev);
    if (!current) return undefined;
    const accepted = changed(current, change, profile);
    try {
      return await store.put(accepted, { ...request, condition: { match: [current.rev] }, exact: true });
    } catch (error) {
      const movedOn = error instanceof VconError && error.code === "VCON_PRECONDITION";
      const named = condition !== undefined && "match" in condition;
      if (!movedOn || named) throw error;
      if (tries >= TRIES) {
        throw new VconError(
          "VCON_CONFLICT",
          `the vCon ${uuid} kept changing during ${TRIES} tries; send the change again`,
          { cause: error },
        );
      }
    }
  }
}

function changed(current: Document, change: Change, profile: ChangeRequest["profile"]): Accepted {
  const vcon = parseVcon(current.bytes);
  if (formOf(vcon) !== "unsigned") {
    throw new VconError(
      "VCON_CONFLICT",
      `the vCon ${current.uuid} is signed or encrypted and cannot be changed in part; PUT a new one`,
    );
  }
  const value = change(vcon as { readonly [member: string]: Json });
  // a patch may turn the document into anything; what is no object is refused like any other body
  const content =
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as { readonly [member: string]: unknown })
      : Buffer.from(JSON.stringify(value));
  return takeInAs(current.uuid, content, { profile });
}
