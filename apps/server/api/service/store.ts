import { createHash } from "node:crypto";
import { VconError } from "@vcon-server/core";
import type { Document, Precondition, Submission, SubmitResult, Submitter } from "@vcon-server/core/backend";
import type { GatewayDeps } from "../deps.ts";
import { type Condition, holds, preconditionFailed } from "../http/etag.ts";
import { type Accepted, type Content, type IntakeOptions, takeIn } from "./intake.ts";
import type { Vcons } from "./vcons.ts";

/** A vCon that is stored, and how it got there. */
export interface Stored extends Accepted {
  readonly outcome: "created" | "replaced" | "same";
  readonly rev: number;
  /** How many lists received it. */
  readonly queued: number;
}

export interface StoreRequest {
  readonly lists: readonly string[];
  /** Queue again although the content is the same. */
  readonly requeue: boolean;
  readonly condition?: Condition | undefined;
  /**
   * The vCon shall be exactly this, also where links have worked on the same submission since. Otherwise a repeated
   * submission leaves their work alone.
   */
  readonly exact?: boolean;
}

/** A submission whose caller decides about preconditions and submitters. */
export interface Offer extends Pick<StoreRequest, "lists" | "requeue"> {
  readonly precondition?: Precondition | undefined;
  readonly submitter?: Submitter | undefined;
}

/** Tries for a state that moves on meanwhile, and for a uuid that is free. */
const TRIES = 8;

export interface Store {
  /** Reads the content and stores it. Throws 422 for content, 412 for conditions, 503 for outages. */
  add(content: Content, reading: IntakeOptions, request: StoreRequest): Promise<Stored>;
  /** Stores what was read already. */
  put(accepted: Accepted, request: StoreRequest): Promise<Stored>;
  /** Hands what was read to the backend as it is. */
  submit(accepted: Accepted, offer: Offer): Promise<SubmitResult>;
}

export interface StoreDeps {
  readonly vcons: Pick<Vcons, "load">;
  /** Decides about batches and their order. */
  readonly submit: (submission: Submission) => Promise<SubmitResult>;
  readonly emit: GatewayDeps["emit"];
  /** Returns the submitter of vCons stored by `add` and `put`; remembered if there is one. */
  readonly submitter: () => Submitter | undefined;
}

export function createStore({ vcons, submit: send, emit, submitter }: StoreDeps): Store {
  async function submit(accepted: Accepted, { lists, requeue, precondition, submitter }: Offer) {
    const { uuid, bytes, index, submitted, findings } = accepted;
    const result = await send({
      uuid,
      bytes,
      index,
      submitted,
      lists,
      requeue,
      ...(precondition && { precondition }),
      ...(submitter && { submitter }),
    });
    if (result.kind === "created" || result.kind === "replaced") {
      const data = { rev: result.rev, lists, findings: findings.length };
      emit?.(result.kind === "created" ? "vcon.created" : "vcon.updated", { vcon: uuid, data });
    }
    return result;
  }

  const attempt = (accepted: Accepted, { lists, requeue }: StoreRequest, precondition: Precondition | undefined) =>
    submit(accepted, { lists, requeue, precondition, submitter: submitter() });

  async function put(accepted: Accepted, request: StoreRequest): Promise<Stored> {
    const { condition, exact } = request;
    for (let tries = 0; tries < TRIES; tries++) {
      const current = condition || exact ? await vcons.load(accepted.uuid) : undefined;
      if (!holds(condition, current)) throw preconditionFailed(accepted.uuid, current?.rev);
      if (exact && !request.requeue && isCurrent(accepted, current))
        return { ...accepted, outcome: "same", rev: current.rev, queued: 0 };
      const submitted = exact ? submittedOver(accepted, current) : accepted.submitted;
      const result = await attempt({ ...accepted, submitted }, request, preconditionOf(condition, current));
      if (result.kind === "refused") {
        const anyRevision = condition !== undefined && "present" in condition;
        if (!anyRevision) throw preconditionFailed(accepted.uuid, result.rev);
      } else if (result.kind !== "same" || !exact || request.requeue) {
        return { ...accepted, outcome: result.kind, rev: result.rev, queued: result.queued };
      }
    }
    throw new VconError(
      "VCON_CONFLICT",
      `the vCon ${accepted.uuid} kept changing during ${TRIES} tries; send it again`,
    );
  }

  async function add(content: Content, reading: IntakeOptions, request: StoreRequest): Promise<Stored> {
    for (let tries = 0; ; tries++) {
      const accepted = takeIn(content, reading);
      if (!accepted.named) return put(accepted, request);
      // a uuid of ours has few random bits: it is taken only where nothing is
      const result = await attempt(accepted, request, { absent: true });
      if (result.kind !== "refused")
        return { ...accepted, outcome: result.kind, rev: result.rev, queued: result.queued };
      if (tries >= TRIES)
        throw new VconError("VCON_CONFLICT", `no free uuid was found in ${TRIES} tries; send the vCon again`);
    }
  }

  return { add, put, submit };
}

type Numbered = Document & { readonly rev: number };

const isCurrent = (accepted: Accepted, current: Document | undefined): current is Numbered =>
  typeof current?.rev === "number" && Buffer.compare(current.bytes, accepted.bytes) === 0;

/**
 * The hash to submit under so that the content replaces the current one: where links have worked on this very
 * submission, its own hash would say that nothing is new.
 */
const submittedOver = ({ submitted }: Accepted, current: Document | undefined): string =>
  current?.submitted === submitted
    ? createHash("sha256").update(`${submitted} over ${current.rev}`).digest("hex")
    : submitted;

/** The condition in terms of revisions. */
function preconditionOf(condition: Condition | undefined, current: Document | undefined): Precondition | undefined {
  if (condition === undefined || !("present" in condition)) return condition;
  return { match: current ? [current.rev] : [] };
}
