import { createHash, createHmac } from "node:crypto";
import type { RunFacts } from "@vcon-server/core";
import { serialize, type Vcon } from "@vcon-server/vcon";

/** A vCon ready to be posted, the same to every address. */
export interface Letter {
  readonly body: Uint8Array;
  /** SHA-256 of what the vCon says. When it was last stored is no part of that: a retry may find it stored anew. */
  readonly digest: string;
}

export function letterOf({ updated_at, ...lasting }: Vcon): Letter {
  const text = serialize(lasting);
  const body = updated_at === undefined ? text : `${text.slice(0, -1)},"updated_at":${JSON.stringify(updated_at)}}`;
  return { body: Buffer.from(body), digest: createHash("sha256").update(text).digest("base64url") };
}

/** `webhook-id`: the same for each try of the same content at the same step and address, on whatever worker. */
export function idOf(
  { digest }: Letter,
  { uuid, chain, link }: Pick<RunFacts, "uuid" | "chain" | "link">,
  url: string,
) {
  const facts = JSON.stringify([uuid, chain, link, url, digest]);
  return `msg_${createHash("sha256").update(facts).digest("base64url")}`;
}

/** The bytes of a `whsec_…` secret. */
export const keyOf = (secret: string): Uint8Array => Buffer.from(secret.replace(/^whsec_/, ""), "base64");

interface Stamp {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** One signature is made with each. */
  readonly keys: readonly Uint8Array[];
}

/** The headers of Standard Webhooks; no signature without keys. */
export function stamped(body: Uint8Array, { id, timestamp, keys }: Stamp): Record<string, string> {
  const signatures = keys.map((key) => {
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
    return `v1,${mac.digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    ...(signatures.length > 0 && { "webhook-signature": signatures.join(" ") }),
  };
}
