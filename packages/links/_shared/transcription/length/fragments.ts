import { findBox, findBoxes } from "./boxes.ts";
import type { Bytes, Steps } from "./steps.ts";

/** The track with sound. */
export interface Track {
  readonly box: Bytes;
  readonly id: number;
  /** Units in a second. */
  readonly scale: number;
  /** Units of a sample that says nothing else. */
  readonly eachByDefault: number;
}

export interface Fragment {
  readonly start: number;
  readonly seconds: number;
}

const readFlags = (box: Bytes): number => box.u32(0) & 0xffffff;

/** Adds up the runs of samples (`trun`) of the track in a fragment, which begins where it says (`tfdt`) or `after`. */
export function* sumFragment(moof: Bytes, track: Track, after: number): Steps<Fragment | undefined> {
  let found: Fragment | undefined;
  for (const traf of findBoxes(moof, "traf")) {
    const head = findBox(traf, "tfhd");
    if (head?.u32(4) !== track.id) continue;
    const base = findBox(traf, "tfdt");
    const start = base ? (base.u8(0) === 1 ? base.u64(4) : base.u32(4)) / track.scale : after;
    const each = readDefault(head) ?? track.eachByDefault;
    let units = 0;
    for (const run of findBoxes(traf, "trun")) units += yield* sumRun(run, each);
    found = { start: found?.start ?? start, seconds: (found?.seconds ?? 0) + units / track.scale };
  }
  return found;
}

/** Units of a sample in this fragment, where its head says so. */
function readDefault(head: Bytes): number | undefined {
  const flags = readFlags(head);
  const at = 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
  return flags & 8 ? head.u32(at) : undefined;
}

function* sumRun(run: Bytes, each: number): Steps<number> {
  const flags = readFlags(run);
  const count = run.u32(4);
  if (!(flags & 0x100)) return count * each;
  const size = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
  let at = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  let units = 0;
  for (let sample = 0; sample < count && at < run.length; sample++) {
    yield;
    units += run.u32(at);
    at += size;
  }
  return units;
}
