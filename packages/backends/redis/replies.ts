import { VconError } from "@vcon-server/core";

const unexpected = (wanted: string, reply: unknown) =>
  new VconError("VCON_INTERNAL", `reading a reply of Redis: expected ${wanted}, got ${typeof reply}`);

/** A bulk or status reply as text; integers too, since scripts return either. */
export function text(reply: unknown): string {
  if (typeof reply === "string") return reply;
  if (typeof reply === "number") return String(reply);
  throw unexpected("text", reply);
}

/** The same, `undefined` for a null reply. */
export const maybeText = (reply: unknown): string | undefined =>
  reply === null || reply === undefined ? undefined : text(reply);

export function integer(reply: unknown): number {
  const value = typeof reply === "number" ? reply : Number(text(reply));
  if (!Number.isFinite(value)) throw unexpected("a number", reply);
  return value;
}

export function list(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw unexpected("an array", reply);
}

export const texts = (reply: unknown): string[] => list(reply).map(text);

export function maybeBytes(reply: unknown): Buffer | undefined {
  if (reply === null || reply === undefined) return undefined;
  if (Buffer.isBuffer(reply)) return reply;
  throw unexpected("bytes", reply);
}

/** Pairs of a hash, which the client turns into an object, or of a flat array (WITHSCORES). */
export function pairsOf(reply: unknown): [string, string][] {
  if (typeof reply === "object" && reply !== null && !Array.isArray(reply)) {
    return Object.entries(reply).map(([name, value]) => [name, text(value)]);
  }
  const flat = texts(reply);
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2] as string, flat[at * 2 + 1] as string]);
}

/** JSON text this server wrote under a key of its own; `undefined` if there is none or it cannot be read. */
export function parseOwn<Value>(json: string | undefined): Value | undefined {
  if (json === undefined || json === "") return undefined;
  try {
    return JSON.parse(json) as Value;
  } catch {
    return undefined;
  }
}
