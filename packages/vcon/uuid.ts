import { sha1 } from "@noble/hashes/legacy.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { VconUuid } from "./document.ts";

const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ANY_CASE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BARE = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i;

/** Whether the text is a UUID in the one form the server writes: lower case with hyphens. Any version, nil included. */
export const isUuid = (text: string): text is VconUuid => CANONICAL.test(text);

/** Whether the text is a UUID with hyphens in any case, which is what the draft calls a textual UUID. */
export const isTextualUuid = (text: string): boolean => ANY_CASE.test(text);

/** The UUID a text means, also in braces, as `urn:uuid:`, without hyphens or in upper case; `undefined` for no UUID. */
export function toUuid(text: string): VconUuid | undefined {
  if (isUuid(text)) return text;
  const inner = /^\{(.*)\}$/.exec(text)?.[1] ?? /^urn:uuid:(.*)$/i.exec(text)?.[1] ?? text;
  const lower = (BARE.test(inner) ? inner.replace(BARE, "$1-$2-$3-$4-$5") : inner).toLowerCase();
  return isUuid(lower) ? lower : undefined;
}

export interface UuidSource {
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Fully qualified name of this host or of the service. */
  readonly host: string;
}

/** One version 8 UUID by the draft: 48 bits of Unix time, 12 random bits, the top 62 bits of SHA-1 of the host name. */
export const newUuid = (source: UuidSource): VconUuid =>
  assemble(source.now(), Math.floor(source.random() * 4096), hostBits(source.host));

/**
 * Makes version 8 UUIDs that never repeat within this maker: the 12 bits count up within a millisecond, from a random
 * start, and run on into the next millisecond when they are used up (RFC 9562 section 6.2).
 */
export function uuidMaker(source: UuidSource): () => VconUuid {
  const host = hostBits(source.host);
  let [last, counter] = [0, 0];
  return () => {
    const now = Math.floor(source.now());
    if (now > last) {
      last = now;
      counter = Math.floor(source.random() * 2048);
    } else if (++counter > 4095) {
      last++;
      counter = 0;
    }
    return assemble(last, counter, host);
  };
}

/** Creation time in a version 7 or 8 UUID (milliseconds since 1970). */
export const timeOfUuid = (uuid: string): number => Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);

/** The 62 bits as 16 hex digits, the first of which is below 4. */
function hostBits(host: string): string {
  const digest = sha1(utf8ToBytes(host));
  let bits = 0n;
  for (const byte of digest.subarray(0, 8)) bits = (bits << 8n) | BigInt(byte);
  return (bits >> 2n).toString(16).padStart(16, "0");
}

function assemble(now: number, randA: number, host: string): VconUuid {
  const time = Math.floor(now).toString(16).padStart(12, "0").slice(-12);
  const variant = (8 + Number.parseInt(host[0]!, 16)).toString(16);
  const a = randA.toString(16).padStart(3, "0");
  const text = `${time.slice(0, 8)}-${time.slice(8)}-8${a}-${variant}${host.slice(1, 4)}-${host.slice(4)}`;
  if (!isUuid(text))
    throw new RangeError(`cannot make a UUID at the time ${now}: the clock must give milliseconds since 1970`);
  return text;
}
