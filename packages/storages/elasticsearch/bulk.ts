import type { Call } from "@vcon-server/core";
import { z } from "zod";
import type { Asked } from "./connect.ts";
import { type Said, saidIn } from "./failures.ts";

/** One document to be written, or deleted where it has no source. */
export interface Operation {
  /** Whose document it is. */
  readonly uuid: string;
  readonly index: string;
  readonly id: string;
  /** JSON of the document. */
  readonly source?: string;
  /** What to do when the index refuses this document. */
  readonly orElse?: Operation;
}

/** An operation that did not succeed. */
export interface FailedOperation {
  readonly operation: Operation;
  readonly said: Said;
}

export interface BulkOptions {
  readonly refresh: boolean | "wait_for";
  readonly max_bulk_bytes: number;
}

/** Writes documents. Failures of single ones are returned; only a failure of the whole is thrown. */
export type Write = (operations: readonly Operation[], call: Call) => Promise<FailedOperation[]>;

/** Bytes for what stands around a document. */
const AROUND = 150;

export function writerOf(asked: Asked, { refresh, max_bulk_bytes }: BulkOptions): Write {
  async function send(operations: readonly Operation[], call: Call): Promise<FailedOperation[]> {
    const lines = operations.flatMap(linesOf);
    const owners = [...new Set(operations.map(({ uuid }) => uuid))];
    const whose = owners.length === 1 ? owners[0] : `${owners.length} vCons`;
    const doing = `writing ${operations.length} documents of ${whose}`;
    const failed = await asked(doing, call, async (client, options) => {
      try {
        return failuresIn(operations, await client.bulk({ operations: lines, refresh }, options));
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        return "too large" as const;
      }
    });
    if (failed !== "too large") return failed;
    // smaller than what is allowed here may still be larger than what a proxy lets through
    const half = Math.ceil(operations.length / 2);
    if (operations.length > 1)
      return [...(await send(operations.slice(0, half), call)), ...(await send(operations.slice(half), call))];
    return operations.map((operation) => ({ operation, said: { status: 413, type: "too large", reason: "" } }));
  }

  return async (operations, call) => {
    const failed: FailedOperation[] = [];
    for (const batch of batches(operations, max_bulk_bytes)) failed.push(...(await send(batch, call)));
    return failed;
  };
}

/** The operations in their order, in batches of so many bytes; one that is larger goes alone. */
export function batches(operations: readonly Operation[], maxBytes: number): Operation[][] {
  const all: Operation[][] = [];
  let room = 0;
  for (const operation of operations) {
    const bytes = AROUND + Buffer.byteLength(operation.source ?? "") + Buffer.byteLength(operation.index);
    if (bytes > room) {
      all.push([]);
      room = maxBytes;
    }
    all.at(-1)?.push(operation);
    room -= bytes;
  }
  return all;
}

function linesOf({ index, id, source }: Operation): string[] {
  const meta = { _index: index, _id: id };
  return source === undefined ? [JSON.stringify({ delete: meta })] : [JSON.stringify({ index: meta }), source];
}

const Item = z.looseObject({ status: z.number(), error: z.unknown().optional() });
const Answer = z.looseObject({ items: z.array(z.record(z.string(), Item)) });

/** Those that failed, by the answers, which come in the order of the operations. */
function failuresIn(operations: readonly Operation[], answer: unknown): FailedOperation[] {
  const { data } = Answer.safeParse(answer);
  if (data?.items.length !== operations.length) throw new Error("what was answered is no answer to a bulk request");
  return operations.flatMap((operation, at) => {
    const { status, error } = Object.values(data.items[at] ?? {})[0] ?? { status: 500, error: undefined };
    // deleting what is not there succeeds, whether the document or its whole index is missing
    const isDone = status < 300 || (status === 404 && operation.source === undefined);
    return isDone ? [] : [{ operation, said: { status, ...(saidIn(error) ?? { type: "unknown", reason: "" }) } }];
  });
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && error.name === "ResponseError" && "statusCode" in error && error.statusCode === 413;
