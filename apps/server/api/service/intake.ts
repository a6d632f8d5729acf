import { createHash } from "node:crypto";
import type { VconError } from "@vcon-server/core";
import type { Index } from "@vcon-server/core/backend";
import type { Plan } from "@vcon-server/core/config";
import {
  type Finding,
  indexOf,
  type Profile,
  type ReadError,
  readVcon,
  toBytes,
  type VconUuid,
} from "@vcon-server/vcon";
import { type Issue, invalid } from "../http/problem.ts";

/** JSON as bytes, or as the value they spell. */
export type Content = Uint8Array | { readonly [member: string]: unknown };

/** A document that passed the door: normalised, serialised once, with what there is to say about it. */
export interface Accepted {
  readonly uuid: VconUuid;
  readonly bytes: Uint8Array;
  readonly index: Index;
  /** SHA-256 (hex) of `bytes`. */
  readonly submitted: string;
  readonly findings: readonly Finding[];
  /** The server made the uuid. */
  readonly named: boolean;
}

export interface IntakeOptions {
  readonly profile: Profile;
  /** Makes a uuid where the document has none; without it such a document is refused. */
  readonly giveUuid?: () => VconUuid;
}

/** Reads a submitted vCon: bytes of JSON, or a value that was parsed already. Throws a 422 that names every error. */
export function takeIn(content: Content, options: IntakeOptions): Accepted {
  const read = readVcon(content, options);
  if (!read.ok) throw refusal(read.errors);
  const bytes = toBytes(read.vcon);
  return {
    uuid: read.uuid,
    bytes,
    index: indexOf(read.vcon),
    submitted: createHash("sha256").update(bytes).digest("hex"),
    findings: read.findings,
    named: read.given,
  };
}

/** The same for a document that is sent to its own address: its uuid may be missing, but must not be another one. */
export function takeInAs(uuid: VconUuid, content: Content, options: IntakeOptions): Accepted {
  const accepted = takeIn(content, { ...options, giveUuid: () => uuid });
  if (accepted.uuid === uuid) return accepted;
  const msg = `The uuid is ${accepted.uuid}, but the address is that of ${uuid}; send it to its own address`;
  throw invalid("reading the vCon", [{ type: "value_error", loc: ["body", "uuid"], msg }]);
}

/** The profile of the first chain that takes from one of the lists. */
export const profileFor = (plan: Plan, lists: readonly string[]): Profile =>
  plan.chains.find((chain) => chain.ingressLists.some((list) => lists.includes(list)))?.profile ?? "tolerant";

const REMEDY = "; give it one, or send give_uuid=true to have one made";

function refusal(errors: readonly ReadError[]): VconError {
  const issues = errors.map(
    (error): Issue => ({
      type: error.type,
      loc: ["body", ...error.loc],
      msg: error.code.startsWith("vcon.uuid-") && error.pointer === "/uuid" ? error.message + REMEDY : error.message,
      code: error.code,
    }),
  );
  return invalid("reading the vCon", issues);
}
