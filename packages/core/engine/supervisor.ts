import type { Clock } from "../plugin/link.ts";
import type { Logger } from "../telemetry/logger.ts";

/** A process that the supervisor keeps alive. */
export interface Child {
  readonly pid: number | undefined;
  /** Resolves when it has exited; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Resolves when it reports ready. */
  readonly ready: Promise<void>;
  /** Asks it to end (`SIGTERM`), or ends it (`SIGKILL`). */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A place that always holds one living process. */
export interface Post {
  readonly name: string;
  readonly spawn: () => Child;
  /** Told when a process of this post has ended, before another takes its place. */
  readonly onExit?: (exit: ChildExit, child: Child) => void;
  /** Exits after doing its work: not started again until asked for. */
  readonly onDemand?: boolean;
}

export interface SupervisorDeps {
  readonly posts: readonly Post[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds children get to finish on their own. */
  readonly grace: number;
}

export interface Supervisor {
  /** Starts all posts. Resolves when each is ready; rejects when one ends before it was ever ready. */
  start(): Promise<void>;
  /** Starts an on-demand post unless it runs. */
  wake(name: string): void;
  /** Ends all children: politely, again when called a second time, by force when the grace time is over. */
  stop(): Promise<void>;
}

const FIRST_DELAY = 100;
const MAX_DELAY = 5_000;
/** A process that lived this long has not failed at start; its successor starts at once. */
const SETTLED_MS = 10_000;
const FORCE_MARGIN = 3_000;

interface Seat {
  readonly post: Post;
  child: Child | undefined;
  failures: number;
  everReady: boolean;
}

/** Milliseconds before the next start: none after a long life, growing while starts keep failing. Pure. */
export const restartDelay = (failures: number): number =>
  failures === 0 ? 0 : Math.min(MAX_DELAY, FIRST_DELAY * 2 ** (failures - 1));

export function createSupervisor({ posts, clock, log, grace }: SupervisorDeps): Supervisor {
  const seats = new Map(
    posts.map((post): [string, Seat] => [post.name, { post, child: undefined, failures: 0, everReady: false }]),
  );
  const stopping = new AbortController();

  async function keep(seat: Seat): Promise<void> {
    const began = clock.now();
    const child = seat.post.spawn();
    seat.child = child;
    void child.ready.then(() => {
      seat.everReady = true;
    });
    const exit = await child.exited;
    seat.child = undefined;
    seat.post.onExit?.(exit, child);
    if (stopping.signal.aborted || seat.post.onDemand || !seat.everReady) return;
    seat.failures = clock.now() - began > SETTLED_MS ? 0 : seat.failures + 1;
    const delay = restartDelay(seat.failures - 1);
    log.warn(`${seat.post.name} ended and is started again`, { pid: child.pid, ...exit, delay });
    await clock.sleep(delay, stopping.signal).catch(() => undefined);
    if (!stopping.signal.aborted) void keep(seat);
  }

  async function begin(seat: Seat): Promise<void> {
    void keep(seat);
    const child = seat.child;
    const ended = child?.exited.then((exit) => {
      throw new Error(`${seat.post.name} ended before it was ready (${exit.signal ?? `exit code ${exit.code}`})`);
    });
    await Promise.race([child?.ready, ended]);
  }

  const living = () => [...seats.values()].flatMap(({ child }) => (child ? [child] : []));

  return {
    async start() {
      await Promise.all([...seats.values()].filter(({ post }) => !post.onDemand).map(begin));
    },
    wake(name) {
      const seat = seats.get(name);
      if (seat && !seat.child && !stopping.signal.aborted) void keep(seat);
    },
    async stop() {
      stopping.abort();
      const children = living();
      for (const child of children) child.kill("SIGTERM");
      const gone = Promise.all(children.map(({ exited }) => exited));
      const force = setTimeout(() => {
        for (const child of living()) child.kill("SIGKILL");
      }, grace + FORCE_MARGIN);
      await gone;
      clearTimeout(force);
    },
  };
}
