/** What a child process tells its supervisor. */
export type ChildMessage =
  | { readonly type: "ready"; readonly address?: string }
  /** Who it is and which lists it claims from, so that its leases can be given back when it dies. */
  | { readonly type: "owner"; readonly owner: string; readonly lists: readonly string[] }
  | { readonly type: "suspects"; readonly count: number };

/** `suspects` runs them beside each other, `suspect` one at a time. */
export type ChildRole = "api" | "worker" | "suspects" | "suspect";

/** Sends to the supervisor; without one (it has died) nobody needs to know. */
export function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}
