import type { Json } from "@vcon-server/vcon";
import { z } from "zod";
import { readAnswer } from "./ask.ts";
import type { Piece } from "./combine.ts";
import type { Stretch } from "./cuts.ts";

const KEPT = z.array(z.object({ start: z.number(), end: z.number(), answer: z.unknown() }));

/** Pieces in the form in which they survive a failure. */
export const toKeep = (pieces: readonly Piece[]): Json =>
  pieces.map(({ stretch: { start, end }, body }) => ({ start, end, answer: body }));

/** The pieces that were kept; what cannot be read is transcribed again. */
export function keptIn(saved: Json | undefined, language: string | undefined): Piece[] {
  const kept = KEPT.safeParse(saved).data ?? [];
  return kept.flatMap(({ start, end, answer }) => {
    const heard = readAnswer(answer, language);
    return heard ? [{ ...heard, stretch: { start, end } }] : [];
  });
}

/** Whether two stretches are the same piece: the same recording is cut in the same places. */
export const isSame = (one: Stretch, other: Stretch): boolean =>
  Math.abs(one.start - other.start) < 0.001 && Math.abs(one.end - other.end) < 0.001;
