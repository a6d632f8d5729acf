import type { Bytes } from "./steps.ts";

/** A box of an MP4 file, with what is in it as far as it is there. */
export interface Box {
  readonly name: string;
  /** Place of the box itself, and of what follows it if it is whole. */
  readonly at: number;
  readonly end: number;
  readonly body: Bytes;
  /** The part of it that is there, 0 to 1. */
  readonly part: number;
}

/** The boxes one after the other. */
export function* readBoxes(bytes: Bytes, most = Number.POSITIVE_INFINITY): Generator<Box, void, void> {
  for (let [at, count] = [0, 0]; at + 8 <= bytes.length && count < most; count++) {
    const short = bytes.u32(at);
    const head = short === 1 ? 16 : 8;
    const size = short === 0 ? bytes.length - at : short === 1 ? bytes.u64(at + 8) : short;
    if (size < head) return;
    const end = at + size;
    const there = Math.max(0, Math.min(end, bytes.length) - at - head);
    const part = size === head ? 1 : there / (size - head);
    yield { name: bytes.text(at + 4, 4), at, end, body: bytes.slice(at + head, end), part };
    at = end;
  }
}

/** Boxes of one level that are looked at: real files have some tens, and a foreign one may have millions. */
const MOST = 512;

/** The first box at the end of a path. */
export function findBox(bytes: Bytes, ...path: readonly string[]): Bytes | undefined {
  const [name, ...rest] = path;
  for (const box of readBoxes(bytes, MOST))
    if (box.name === name) return rest.length === 0 ? box.body : findBox(box.body, ...rest);
  return undefined;
}

/** All boxes of a name right inside. */
export const findBoxes = (bytes: Bytes, name: string): Bytes[] =>
  [...readBoxes(bytes, MOST)].flatMap((box) => (box.name === name ? [box.body] : []));
