import type { JsonObject } from "../shape.ts";
import { isCues, readCues } from "./cues.ts";
import { confidenceAt, durationAt, numberAt, speakerAt, textAt, timesFrom } from "./members.ts";
import { present, type Transcript, type TranscriptSegment } from "./transcript.ts";
import { hasVoices, splitSegment, splitVoices } from "./voices.ts";

/** A list of turns: `{speaker, message}`, `{speaker, text, start, end}`, or `{parties, start, duration, text}`. */
export function fromTurns(turns: readonly JsonObject[]): Transcript | undefined {
  const segments = turns.flatMap((turn) => {
    const text = textAt(turn, "message", "text", "transcript");
    if (text === undefined) return [];
    const start = numberAt(turn, "start");
    const duration = durationAt(turn);
    const end = numberAt(turn, "end") ?? (start === undefined || duration === undefined ? undefined : start + duration);
    return splitSegment(
      present<TranscriptSegment>({
        text,
        ...timesFrom(start, end),
        speaker: speakerAt(turn),
        confidence: confidenceAt(turn, "confidence"),
        words: undefined,
      }),
    );
  });
  return segments.length === 0 ? undefined : joinSegments(segments);
}

/**
 * Plain text; where every paragraph begins with `Name:`, the names are the speakers. WebVTT and SubRip are read as
 * their cues, and voice tags (`<v Name>`) wherever they stand.
 */
export function fromText(text: string): Transcript {
  if (isCues(text)) return joinSegments(readCues(text));
  if (hasVoices(text)) return joinSegments(splitVoices(text));
  const paragraphs = text.split(/\n\s*\n|\n(?=[^\n:]{1,60}: )/).map((one) => one.trim());
  const turns = paragraphs.filter((one) => one !== "").map((one) => /^([^\n:]{1,60}):\s+([\s\S]+)$/.exec(one));
  const segments = turns.flatMap((turn) => (turn?.[1] && turn[2] ? [{ speaker: turn[1], text: turn[2] }] : []));
  if (segments.length > 1 && segments.length === turns.length) return { text, segments };
  return { text, segments: text.trim() === "" ? [] : [{ text: text.trim() }] };
}

const joinSegments = (segments: readonly TranscriptSegment[]): Transcript => ({
  text: segments.map(lineOf).join("\n"),
  segments,
});

const lineOf = ({ speaker, text }: TranscriptSegment): string => (speaker === undefined ? text : `${speaker}: ${text}`);
