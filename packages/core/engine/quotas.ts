/** A list as the scheduler sees it at one moment. */
export interface ListLoad {
  /** Runs of this list under way in this worker. */
  readonly running: number;
  /** Whether the last claim took all it was allowed to, so that more is probably waiting. */
  readonly hungry: boolean;
  /** How many runs its chain allows at a time. */
  readonly limit: number;
}

/** How many runs a worker has at a time, and how many entries one claim may take. */
export interface Room {
  readonly slots: number;
  readonly most: number;
}

/**
 * How many entries to claim from each list. No list fills all slots: some stay for the others, so that a list with
 * 100,000 waiting (or with slow links) cannot keep another list's single vCon out. Every list is asked for at least
 * one; the rest goes in even shares to those that had more last time.
 */
export function quotas(lists: readonly ListLoad[], { slots, most }: Room): number[] {
  const others = lists.length - 1;
  const cap = slots - Math.min(Math.floor(slots / 2), others * Math.max(1, Math.floor(slots / (4 * lists.length))));
  let free = Math.max(0, Math.min(most, slots - lists.reduce((sum, { running }) => sum + running, 0)));
  const shares = lists.map(() => 0);
  const give = (at: number, wanted: number): void => {
    const { running, limit } = lists[at] as ListLoad;
    const share = shares[at] as number;
    const more = Math.max(0, Math.min(wanted, free, Math.min(cap, limit) - running - share));
    shares[at] = share + more;
    free -= more;
  };
  const all = lists.map((_, at) => at);
  const hungry = all.filter((at) => lists[at]?.hungry);
  const eager = hungry.length > 0 ? hungry : all;
  for (const at of all) give(at, 1);
  const even = Math.ceil(free / eager.length);
  for (const at of eager) give(at, even);
  for (const at of eager) give(at, free);
  return shares;
}
