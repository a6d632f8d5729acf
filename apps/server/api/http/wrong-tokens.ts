import { type Logger, VconError } from "@vcon-server/core";

/** Wrong tokens that one address may send before it is told to wait. */
export const FREE_TRIES = 20;
/** An address that sent none for so long, in milliseconds, begins anew. */
const FORGET_MS = 600_000;
const LONGEST_WAIT_MS = 300_000;
/** Addresses that are remembered, some 100 bytes each; beyond them the one that was quiet longest is forgotten. */
const MAX_ADDRESSES = 10_000;

interface Record {
  tries: number;
  /** How many times it was told to wait. */
  waits: number;
  /** Until then further wrong tokens are answered with 429. */
  until: number;
  last: number;
}

export interface WrongTokens {
  /** Takes down a wrong token. Throws `VCON_AUTH_THROTTLED` when too many came from this address. */
  take(address: string): void;
}

/**
 * Slows down who tries tokens: each burst of wrong ones from an address is one line of the log, and beyond the free ones
 * the address is told to wait, twice as long every time. A right token is never kept waiting, since clients behind
 * one proxy share its address.
 */
export function createWrongTokens({
  now,
  log,
}: {
  readonly now: () => number;
  readonly log: Pick<Logger, "warn">;
}): WrongTokens {
  // in the order of their last wrong token
  const records = new Map<string, Record>();

  function touch(key: string, at: number): Record {
    const known = records.get(key);
    records.delete(key);
    const isFresh = known !== undefined && at - known.last < FORGET_MS;
    const record = isFresh ? known : { tries: 0, waits: 0, until: 0, last: at };
    record.last = at;
    records.set(key, record);
    const [oldest] = records.keys();
    if (records.size > MAX_ADDRESSES && oldest !== undefined) records.delete(oldest);
    return record;
  }

  return {
    take(address) {
      const at = now();
      const key = network(address);
      const record = touch(key, at);
      record.tries++;
      if (record.tries === 1)
        log.warn("a wrong token was sent; more of them from this address are not logged until they stop", {
          address: key,
        });
      if (record.tries <= FREE_TRIES) return;
      if (at >= record.until) {
        record.until = at + Math.min(LONGEST_WAIT_MS, 1000 * 2 ** record.waits++);
        return;
      }
      throw new VconError(
        "VCON_AUTH_THROTTLED",
        "too many wrong tokens came from this address; send the right one, which is always taken, or wait",
        { retryAfterSecs: (record.until - at) / 1000 },
      );
    },
  };
}

/** Hosts choose their own address within a /64 of IPv6. */
function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("%", 1)[0]!.split("::");
  const front = head.split(":").filter(Boolean);
  const back = tail?.split(":").filter(Boolean) ?? [];
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  return `${[...front, ...zeros, ...back].slice(0, 4).join(":")}::/64`;
}
