import { createHash } from "node:crypto";

export type Random = () => number;

/** Uniform in [0, 1), the same sequence for the same seed and purpose. */
export function seeded(seed: number, purpose: string): Random {
  let state = createHash("sha256").update(`${seed}:${purpose}`).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `min` to `max`, both included. */
export const between = (random: Random, min: number, max: number): number =>
  min + Math.floor(random() * (max - min + 1));
