import type { Logger } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import type { Settings } from "@vcon-server/core/config";
import type { Child, ChildExit, Post } from "@vcon-server/core/engine";
import { systemClock } from "@vcon-server/core/resilience";
import type { ChildRole } from "./messages.ts";
import { spawnChild } from "./spawn.ts";

export interface PostDeps {
  readonly settings: Pick<Settings, "workers">;
  readonly roles: readonly ("api" | "worker")[];
  readonly backend: Pick<Backend, "abandon" | "suspects">;
  readonly log: Logger;
  /** Starts the process that runs suspects. */
  readonly wake: () => void;
}

export interface Posts {
  readonly posts: readonly Post[];
  /** Wakes the lane for suspects where some are waiting, whoever left them. */
  lookForSuspects(): Promise<void>;
  /** Where the gateway listens, once it does. */
  address(): string | undefined;
  /** Waits for leases that are being taken back; to be called before the backend is closed. */
  end(): Promise<void>;
}

/** Name of the on-demand post that runs suspects, in a process of their own. */
export const SUSPECTS = "suspects";
const RETRY_MS = 500;

interface Lease {
  readonly owner: string;
  readonly lists: readonly string[];
}

/** The processes of this server. The leases of a dead worker are taken back at once. */
export function createPosts({ settings, roles, backend, log, wake }: PostDeps): Posts {
  const owners = new Map<Child, Lease>();
  let lists: readonly string[] = [];
  let address: string | undefined;
  let ending = false;
  /** The last process for suspects died: which of them it was shows only when they run alone. */
  let alone = false;
  const takingBack = new Set<Promise<void>>();

  const spawn = (role: ChildRole) => (): Child => {
    const child: Child = spawnChild(role, (message) => {
      if (message.type === "suspects") wake();
      if (message.type === "ready" && message.address !== undefined) address = message.address;
      if (message.type !== "owner") return;
      owners.set(child, message);
      lists = message.lists;
    });
    return child;
  };

  async function takeBack(child: Child): Promise<void> {
    const lease = owners.get(child);
    owners.delete(child);
    while (lease) {
      try {
        await backend.abandon(lease.owner, lease.lists);
        return;
      } catch (error) {
        log.warn("leases of a dead worker cannot be taken back yet", { owner: lease.owner, error });
        // leases end by themselves when nobody renews them
        if (ending) return;
        await systemClock.sleep(RETRY_MS);
      }
    }
  }

  async function lookForSuspects(): Promise<void> {
    if (lists.length === 0) return;
    const waiting = await backend.suspects(lists);
    if (waiting.some((count) => count > 0)) wake();
  }

  const unseen = (error: unknown) => log.warn("looking for suspects failed; the next round tries again", { error });
  const onExit = (_: ChildExit, child: Child): void => {
    const taking = takeBack(child)
      .then(() => (ending ? undefined : lookForSuspects()))
      .catch(unseen)
      .finally(() => takingBack.delete(taking));
    takingBack.add(taking);
  };
  const worker = (at: number): Post => ({ name: `worker ${at}`, spawn: spawn("worker"), onExit });
  const api: Post[] = roles.includes("api") ? [{ name: "api", spawn: spawn("api") }] : [];
  const workers: Post[] = roles.includes("worker")
    ? [
        ...Array.from({ length: settings.workers }, (_, at) => worker(at + 1)),
        {
          name: SUSPECTS,
          spawn: () => spawn(alone ? "suspect" : "suspects")(),
          onExit: (exit: ChildExit, child: Child) => {
            alone = exit.code !== 0;
            onExit(exit, child);
          },
          onDemand: true,
        },
      ]
    : [];
  const end = async () => {
    ending = true;
    await Promise.all(takingBack);
  };
  return { posts: [...api, ...workers], lookForSuspects, address: () => address, end };
}
