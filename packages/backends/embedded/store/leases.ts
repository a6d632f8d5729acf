/**
 * Until when each owner's leases hold. Kept in memory: a heartbeat costs no write, and whoever was alive before the
 * owner thread was restarted gets one full lease to be heard again.
 */
export interface Leases {
  readonly ms: number;
  renew(owner: string): void;
  forget(owner: string): void;
  /** Owners that missed their heartbeat; they are forgotten by this call. */
  takeExpired(): string[];
}

export function createLeases(ms: number, now: () => number): Leases {
  const until = new Map<string, number>();
  return {
    ms,
    renew: (owner) => void until.set(owner, now() + ms),
    forget: (owner) => void until.delete(owner),
    takeExpired() {
      const at = now();
      const expired = [...until].filter(([, end]) => end <= at).map(([owner]) => owner);
      for (const owner of expired) until.delete(owner);
      return expired;
    },
  };
}
