import { findBox, findBoxes, readBoxes } from "./boxes.ts";
import { sumFragment, type Track } from "./fragments.ts";
import type { Bytes, Steps } from "./steps.ts";

/** Fragments may overlap or leave out this much, as seconds and as a part of the whole. */
const [TOLERANCE, TOLERANCE_PART] = [0.5, 0.02];

/** MP4 and MOV: the samples whose bytes are there, in the tables of the file and in its fragments. */
export function* measureMp4(bytes: Bytes): Steps {
  let movie: Bytes | undefined;
  let track: Track | undefined;
  const sum = { seconds: 0, first: Number.POSITIVE_INFINITY, last: 0 };
  let open: { readonly start: number; readonly seconds: number } | undefined;
  const close = (part: number) => {
    if (!open) return;
    sum.seconds += open.seconds * part;
    sum.first = Math.min(sum.first, open.start);
    sum.last = Math.max(sum.last, open.start + open.seconds * part);
    open = undefined;
  };
  for (const { name, body, part } of readBoxes(bytes)) {
    yield;
    if (name === "moov") {
      // a second file behind the first is played by few
      if (movie || part < 1) return undefined;
      movie = body;
      track = readTrack(movie);
      if (!track) return undefined;
    } else if (name === "moof" && track && part === 1) {
      close(1);
      open = yield* sumFragment(body, track, sum.last);
    } else if (name === "mdat") close(part);
  }
  if (!movie || !track) return undefined;
  const table = yield* measureTable(bytes, movie, track);
  if (table === undefined || sum.seconds === 0) return table || undefined;
  const span = sum.last - sum.first;
  const isEven = Math.abs(span - sum.seconds) <= Math.max(TOLERANCE, span * TOLERANCE_PART);
  return isEven ? table + span : undefined;
}

/** The first track with sound. */
function readTrack(movie: Bytes): Track | undefined {
  const box = findBoxes(movie, "trak").find((trak) => findBox(trak, "mdia", "hdlr")?.text(8, 4) === "soun");
  const media = box && findBox(box, "mdia", "mdhd");
  const head = box && findBox(box, "tkhd");
  if (!box || !media || !head) return undefined;
  const scale = media.u32(media.u8(0) === 1 ? 20 : 12);
  const id = head.u32(head.u8(0) === 1 ? 20 : 12);
  const defaults = findBoxes(findBox(movie, "mvex") ?? movie, "trex").find((trex) => trex.u32(4) === id);
  return scale === 0 ? undefined : { box, id, scale, eachByDefault: defaults?.u32(12) ?? 0 };
}

/** Seconds of the samples in the tables of the track whose bytes are there; less where an edit list leaves out some. */
function* measureTable(bytes: Bytes, movie: Bytes, { box, scale }: Track): Steps {
  const tables = findBox(box, "mdia", "minf", "stbl");
  const durations = tables && findBox(tables, "stts");
  if (!tables || !durations) return 0;
  const there = yield* countSamples(bytes, tables);
  let [left, units] = [there, 0];
  for (let entry = 0; entry < durations.u32(4) && 8 + entry * 8 < durations.length && left > 0; entry++) {
    yield;
    const count = Math.min(left, durations.u32(8 + entry * 8));
    units += count * durations.u32(12 + entry * 8);
    left -= count;
  }
  const edited = yield* measureEdits(movie, box);
  return edited > 0 ? Math.min(units / scale, edited) : units / scale;
}

/** Samples that are whole within the file. */
function* countSamples(bytes: Bytes, tables: Bytes): Steps<number> {
  const [short, long, groups, sizes] = ["stco", "co64", "stsc", "stsz"].map((name) => findBox(tables, name));
  const chunks = short ?? long;
  if (!chunks || !groups || !sizes) return 0;
  const each = sizes.u32(4);
  // the table may say that it has more entries than are there
  const lastGroup = Math.min(groups.u32(4), Math.floor((groups.length - 8) / 12)) - 1;
  let [samples, group] = [0, 0];
  for (let chunk = 0; chunk < chunks.u32(4) && 8 + chunk * (short ? 4 : 8) < chunks.length; chunk++) {
    yield;
    let end = short ? chunks.u32(8 + chunk * 4) : chunks.u64(8 + chunk * 8);
    while (group < lastGroup && groups.u32(8 + (group + 1) * 12) <= chunk + 1) group++;
    const last = samples + groups.u32(12 + group * 12);
    if (each > 0) {
      const there = Math.floor((bytes.length - end) / each);
      samples += Math.max(0, Math.min(last - samples, there));
      if (samples < last) return samples;
    }
    for (; samples < last; samples++) {
      yield;
      end += sizes.u32(12 + samples * 4);
      if (end > bytes.length || 12 + samples * 4 >= sizes.length) return samples;
    }
  }
  return samples;
}

/** Seconds that the edit list plays; 0 when there is none. */
function* measureEdits(movie: Bytes, track: Bytes): Steps<number> {
  const [list, head] = [findBox(track, "edts", "elst"), findBox(movie, "mvhd")];
  const scale = head?.u32(head.u8(0) === 1 ? 20 : 12) ?? 0;
  if (!list || scale === 0) return 0;
  const isLong = list.u8(0) === 1;
  let units = 0;
  for (let entry = 0; entry < list.u32(4) && entry * 12 < list.length; entry++) {
    yield;
    const at = 8 + entry * (isLong ? 20 : 12);
    const isEmpty = list.u32(at + (isLong ? 12 : 4)) === 0xffffffff;
    if (!isEmpty) units += isLong ? list.u64(at) : list.u32(at);
  }
  return units / scale;
}
