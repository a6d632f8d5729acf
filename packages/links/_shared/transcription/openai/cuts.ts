/** A stretch of a recording, in seconds from its beginning. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** How far from the wanted length a silence may be, as a part of it. */
const TOLERANCE = 0.25;
/** Seconds: a shorter piece at the end is not worth a request, and some services refuse it. */
const SHORTEST = 1;

/**
 * Where to cut a recording, in seconds, ascending: about every `every` seconds, each time in the middle of the silence
 * that is nearest within a quarter of that, else exactly there. No piece is longer than one and a half times `every`,
 * save that a rest of less than a second stays with the piece before it.
 */
export function cutsFor(seconds: number, every: number, silences: readonly Stretch[] = []): number[] {
  const middles = silences.map(({ start, end }) => (start + end) / 2).filter((middle) => middle > 0);
  const cuts: number[] = [];
  for (let wanted = every; wanted < seconds - SHORTEST; wanted += every) {
    const near = middles.filter((middle) => Math.abs(middle - wanted) <= every * TOLERANCE);
    const best = near.reduce<number | undefined>((one, other) => nearer(wanted, one, other), undefined) ?? wanted;
    if (best < seconds - SHORTEST) cuts.push(best);
  }
  return cuts;
}

const nearer = (wanted: number, one: number | undefined, other: number): number =>
  one !== undefined && Math.abs(one - wanted) <= Math.abs(other - wanted) ? one : other;

/** The pieces that the cuts make. */
export const piecesOf = (cuts: readonly number[], seconds: number): Stretch[] =>
  [0, ...cuts].map((start, at) => ({ start, end: cuts[at] ?? seconds }));
