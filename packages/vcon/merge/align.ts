import { deepEqual } from "../shape.ts";

/** For each element of an edited list the position it had before the edit; `undefined` for what was added. */
export type Alignment = readonly (number | undefined)[];

/** Above this many comparisons elements are matched by position only. */
const MAX_COMPARISONS = 250_000;

/**
 * Finds out which elements of an edited list are which of the list before. Equal ones are matched in order; what is
 * left between two matches is taken as changed in place, one by one, and the rest of it as added or removed.
 */
export function align(before: readonly unknown[], after: readonly unknown[]): Alignment {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && deepEqual(before[start], after[start])) start++;
  let end = 0;
  while (end < shorter - start && deepEqual(before.at(-1 - end), after.at(-1 - end))) end++;
  const middle = matches(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return after.map((_, at) => {
    if (at < start) return at;
    if (at >= after.length - end) return at - after.length + before.length;
    const found = middle[at - start];
    return found === undefined ? undefined : found + start;
  });
}

function matches(before: readonly unknown[], after: readonly unknown[]): Alignment {
  const result: (number | undefined)[] = after.map(() => undefined);
  let [from, to] = [0, 0];
  for (const [left, right] of [...commonElements(before, after), [before.length, after.length] as const]) {
    while (from < left && to < right) result[to++] = from++;
    if (right < after.length) result[right] = left;
    [from, to] = [left + 1, right + 1];
  }
  return result;
}

/** Positions of a longest common subsequence of equal elements. */
function commonElements(before: readonly unknown[], after: readonly unknown[]): (readonly [number, number])[] {
  if (before.length * after.length > MAX_COMPARISONS) return [];
  const [left, right] = [before.map((x) => JSON.stringify(x)), after.map((x) => JSON.stringify(x))];
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const longer = Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
      lengths[i * width + j] = left[i] === right[j] ? lengths[(i + 1) * width + j + 1]! + 1 : longer;
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}
