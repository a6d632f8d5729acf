import { causesOf, VconError } from "@vcon-server/core";

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

/** A failure in one line: its code where it has one. */
export function reasonOf(error: unknown): string {
  if (error instanceof VconError) return `${error.code}: ${error.message.replaceAll("\n", "; ")}`;
  return [...new Set(causesOf(error))].join(": ").replaceAll("\n", "; ");
}
