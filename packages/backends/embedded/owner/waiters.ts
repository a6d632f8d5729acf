import { hasWork, nextDue } from "../store/lists.ts";
import type { Store } from "../store/store.ts";

interface Waiter {
  readonly lists: readonly string[];
  wake(): void;
}

/** Clients that wait for work: woken by what a transaction brought, or when a delayed entry comes due. */
export interface Waiters {
  /** Wakes at once where there is work; otherwise returns how to stop waiting. */
  add(waiter: Waiter): (() => void) | undefined;
  /** Passes on what the last transaction brought. */
  tell(): void;
  close(): void;
}

/** Timers of Node hold 31 bits. */
const LONGEST = 2 ** 31 - 1;

export function createWaiters(store: Store): Waiters {
  const waiting = new Set<Waiter>();
  let timer: NodeJS.Timeout | undefined;
  let timerDue = Number.POSITIVE_INFINITY;

  const wakeWhere = (matches: (waiter: Waiter) => boolean): void => {
    for (const waiter of [...waiting]) {
      if (!matches(waiter)) continue;
      waiting.delete(waiter);
      waiter.wake();
    }
  };
  const arm = (due: number): void => {
    if (due >= timerDue) return;
    clearTimeout(timer);
    timerDue = due;
    timer = setTimeout(ring, Math.min(Math.max(due - store.now(), 0) + 1, LONGEST));
  };
  const ring = (): void => {
    timerDue = Number.POSITIVE_INFINITY;
    wakeWhere((waiter) => hasWork(store, waiter.lists));
    const lists = [...new Set([...waiting].flatMap((waiter) => waiter.lists))];
    if (lists.length > 0) arm(nextDue(store, lists));
  };

  return {
    add(waiter) {
      if (hasWork(store, waiter.lists)) {
        waiter.wake();
        return undefined;
      }
      waiting.add(waiter);
      arm(nextDue(store, waiter.lists));
      return () => void waiting.delete(waiter);
    },
    tell() {
      const { lists, due } = store.news;
      store.news.due = Number.POSITIVE_INFINITY;
      if (lists.size > 0) wakeWhere((waiter) => waiter.lists.some((list) => lists.has(list)));
      lists.clear();
      if (waiting.size > 0) arm(due);
    },
    close: () => clearTimeout(timer),
  };
}
