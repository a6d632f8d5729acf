/** What a child process tells its supervisor. */
export type ChildMessage =
  | { readonly type: "ready"; readonly address?: string }
  /** Who it is and which lists it claims from, so that its leases can be given back when it dies. */
  | { readonly type: "owner"; readonly owner: string; readonly lists: readonly string[] }
  | { readonly type: "suspects"; readonly count: number };

export type ChildRole = "api" | "worker" | "suspects";

/** Sends to the supervisor; without one (it has died) nobody needs to know. */
export function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}
