import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { VconUuid } from "@vcon-server/vcon";
import type { Backend, Claim, ClaimResult, DeadLetterRecord, Ending, Index, Lease, Submission } from "../backend.ts";

/** A uuid nothing else in the suite uses. */
export const freshUuid = (): VconUuid => randomUUID() as VconUuid;

/** A list name nothing else in the suite uses. */
export const freshList = (hint = "list"): string => `${hint}_${randomBytes(6).toString("hex")}`;

/** A document as bytes. */
export const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Bytes as the JSON value they spell; `undefined` for no bytes. */
export const contentOf = (bytes: Uint8Array | undefined): unknown =>
  bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));

/** An index entry without terms at a fixed time. */
export const plainIndex: Index = { createdAt: 1_767_323_045, terms: [] };

/** A submission of a small document with everything else as given. */
export function submission(
  uuid: VconUuid,
  rest: Partial<Submission> & { readonly content?: unknown } = {},
): Submission {
  const { content, ...given } = rest;
  const bytes = given.bytes ?? bytesOf(content ?? { uuid, vcon: "0.4.0", parties: [] });
  const submitted = createHash("sha256").update(bytes).digest("hex");
  return { uuid, bytes, submitted, index: plainIndex, lists: [], ...given };
}

/** One submission, stored and queued. */
export async function submitOne(
  backend: Backend,
  lists: readonly string[],
  rest: Partial<Submission> & { readonly content?: unknown } = {},
): Promise<VconUuid> {
  const uuid = rest.uuid ?? freshUuid();
  await backend.submit([submission(uuid, { lists, ...rest })]);
  return uuid;
}

interface ClaimOptions {
  readonly owner?: string;
  readonly chain?: string;
  readonly max?: number;
  readonly suspects?: boolean;
}

/** One claim of one list. */
export function claimFrom(backend: Backend, list: string, options: ClaimOptions = {}): Promise<ClaimResult> {
  return backend.claim({
    owner: options.owner ?? "owner-1",
    lists: [{ name: list, chain: options.chain ?? "chain", max: options.max ?? 10 }],
    suspects: options.suspects ?? false,
  });
}

/** The only run of a claim; fails when there is not exactly one. */
export async function claimOne(backend: Backend, list: string, options: ClaimOptions = {}): Promise<Claim> {
  const { runs } = await claimFrom(backend, list, options);
  const [run] = runs;
  if (run === undefined || runs.length !== 1) throw new Error(`expected one run of ${list}, got ${runs.length}`);
  return run;
}

type Done = Extract<Ending, { kind: "done" }>;

/** A plain "done" of this lease, with whatever the test needs on top. */
export function done(lease: Lease, rest: Partial<Omit<Done, "kind" | "lease">> = {}): Done {
  return {
    kind: "done",
    lease,
    sendTo: [],
    storages: [],
    required: [],
    egress: [],
    expiry: { kind: "keep" },
    dlq: `${lease.list}_dlq`,
    deliveryLease: 30_000,
    ...rest,
  };
}

/** A dead-letter record of a link failure on this lease. */
export function record(lease: Lease, rest: Partial<DeadLetterRecord> = {}): DeadLetterRecord {
  return {
    v: 1,
    uuid: lease.uuid,
    chain: lease.chain,
    list: lease.list,
    kind: "link",
    link: "tag",
    code: "VCON_LINK_FAILED",
    message: "tagging: it failed",
    causes: ["it failed"],
    attempt: 4,
    deaths: 0,
    at: 1_767_323_045_000,
    config: "0123456789ab",
    worker: "owner-1",
    ...rest,
  };
}
