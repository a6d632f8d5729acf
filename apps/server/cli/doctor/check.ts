import { causesOf, VconError } from "@vcon-server/core";
import { withTimeout } from "@vcon-server/core/resilience";

export type CheckStatus = "ok" | "warn" | "fail";

/** One thing the doctor looked at. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  readonly message: string;
  /** What to do; for everything that is not ok. */
  readonly remedy?: string;
}

export const ok = (name: string, message: string): Check => ({ name, status: "ok", message });
export const warn = (name: string, message: string, remedy: string): Check => ({
  name,
  status: "warn",
  message,
  remedy,
});
export const fail = (name: string, message: string, remedy: string): Check => ({
  name,
  status: "fail",
  message,
  remedy,
});

/** Time for anything that goes over the network. */
export const PATIENCE_MS = 5_000;
const CLOSING_MS = 1_000;

/** Time for loading packages and plug-ins, which is no service's fault. */
export const LOADING_MS = 10_000;

/** One thing to look at. */
export interface Look {
  readonly name: string;
  /** Remedy that is shown when the look does not end. */
  readonly remedy: string;
  readonly ms?: number;
}

/** Looks for a limited time. One that does not end is a failure, and what it finds later is ignored. */
export async function limitLook(
  { name, remedy, ms = PATIENCE_MS }: Look,
  look: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  const over = new Error(`no end within ${ms / 1000} s`);
  return withTimeout({ ms, error: () => over }, look).catch((error: unknown) => {
    if (error !== over) throw error;
    return [fail(name, over.message, remedy)];
  });
}

/** Waits a moment for something to close that may never do so. */
export const closeInTime = (close: () => Promise<void>): Promise<void> =>
  withTimeout({ ms: CLOSING_MS, error: () => new Error("not closed in time") }, close).catch(() => undefined);

/** A failure in one line: its code where it has one. */
export function reasonOf(error: unknown): string {
  if (error instanceof VconError) return `${error.code}: ${error.message.replaceAll("\n", "; ")}`;
  return [...new Set(causesOf(error))].join(": ").replaceAll("\n", "; ");
}
