import { CATALOGUE, causesOf, type ErrorCode, VconError } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import type { health } from "../store/care.ts";
import type { scanFrom } from "../store/find.ts";

type Remote =
  | "read"
  | "submit"
  | "sizes"
  | "submitters"
  | "restore"
  | "remove"
  | "list"
  | "search"
  | "reindex"
  | "push"
  | "pop"
  | "depths"
  | "peek"
  | "claim"
  | "heartbeat"
  | "abandon"
  | "giveBack"
  | "suspects"
  | "checkpoint"
  | "settle"
  | "claimDeliveries"
  | "settleDeliveries"
  | "deliveries"
  | "backlog"
  | "deadLetters"
  | "reprocess"
  | "holdings"
  | "repair";

/** The operations of the owner: those of the backend, answered at once, and what `scan` and `health` are made of. */
export type Operations = {
  readonly [Name in Remote]: (...args: Parameters<Backend[Name]>) => Awaited<ReturnType<Backend[Name]>>;
} & {
  readonly scanFrom: (after: number) => ReturnType<typeof scanFrom>;
  readonly health: () => ReturnType<typeof health>;
};

export type OperationName = keyof Operations;

/** `wait` is answered when one of the lists may have work, or when it is cancelled. */
export type Request =
  | { readonly id: number; readonly op: OperationName; readonly args: readonly unknown[] }
  | { readonly id: number; readonly op: "wait"; readonly args: readonly [lists: readonly string[]] }
  | { readonly id: number; readonly op: "cancel"; readonly args: readonly [] };

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly causes: readonly string[];
}

export function toWire(error: VconError): WireError {
  return { code: error.code, message: error.message, causes: causesOf(error.cause) };
}

export function fromWire({ code, message, causes }: WireError): VconError {
  const cause = causes
    .toReversed()
    .reduce<Error | undefined>((inner, text) => new Error(text, { cause: inner }), undefined);
  return new VconError(code in CATALOGUE ? code : "VCON_INTERNAL", message, cause === undefined ? {} : { cause });
}
