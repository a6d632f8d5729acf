import type { Json, Transcript, TranscriptSegment } from "@vcon-server/vcon";
import type { Paid } from "../transcriber.ts";
import type { Heard } from "./ask.ts";
import type { Stretch } from "./cuts.ts";

/** What was said in one piece of a recording. */
export interface Piece extends Heard {
  readonly stretch: Stretch;
}

/** The pieces as one transcript, with times from the beginning of the recording. */
export function joined(pieces: readonly Piece[]): Transcript {
  const languages = pieces.flatMap(({ transcript }) => transcript.language ?? []);
  const end = pieces.at(-1)?.stretch.end;
  return {
    text: textOf(pieces),
    ...(languages[0] !== undefined && { language: languages[0] }),
    ...(end !== undefined && { duration: end }),
    segments: pieces.flatMap(({ transcript, stretch }, at) =>
      transcript.segments.map((segment) => shifted(segment, stretch, at)),
    ),
  };
}

const textOf = (pieces: readonly Piece[]): string =>
  pieces
    .map(({ transcript }) => transcript.text.trim())
    .filter((text) => text !== "")
    .join(" ");

/**
 * A segment without times was said somewhere in its piece, and none was said after the end of it. Who is `A` in one
 * piece may be `B` in the next.
 */
function shifted({ speaker, ...segment }: TranscriptSegment, stretch: Stretch, piece: number): TranscriptSegment {
  const { words } = segment;
  return {
    ...segment,
    start: stretch.start,
    end: stretch.end,
    ...later(segment, stretch),
    ...(speaker !== undefined && { speaker: piece === 0 ? speaker : `${speaker} (${piece + 1})` }),
    ...(words && { words: words.map((word) => ({ ...word, ...later(word, stretch) })) }),
  };
}

const later = ({ start, end }: Partial<Stretch>, by: Stretch): Partial<Stretch> => ({
  ...(start !== undefined && { start: Math.min(by.start + start, by.end) }),
  ...(end !== undefined && { end: Math.min(by.start + end, by.end) }),
});

/**
 * The pieces as the Python server keeps them: the answer to the first with the text of all, their usage summed, and
 * each answer under `chunked_transcription`. Segments and words are those of all pieces, with times of the recording.
 */
export function joinedBody(pieces: readonly Piece[]): Json {
  const [first] = pieces;
  if (!first || pieces.length === 1) return first?.body ?? {};
  const usage = joinedUsage(pieces);
  const lists = Object.fromEntries(
    ["segments", "words"].filter((name) => name in first.body).map((name) => [name, joinedList(pieces, name)]),
  );
  return {
    ...first.body,
    ...lists,
    text: textOf(pieces),
    ...("duration" in first.body && { duration: pieces.at(-1)?.stretch.end ?? null }),
    ...(usage && { usage }),
    chunked_transcription: { total_chunks: pieces.length, chunk_results: pieces.map(({ body }) => body) },
  };
}

function joinedList(pieces: readonly Piece[], name: string): Json[] {
  return pieces.flatMap(({ body, stretch }) => {
    const list = body[name];
    return Array.isArray(list) ? list.map((one: Json) => laterJson(one, stretch.start)) : [];
  });
}

function laterJson(value: Json, by: number): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([name, member]) =>
    (name === "start" || name === "end") && typeof member === "number" ? [name, member + by] : [name, member],
  );
  return Object.fromEntries(entries);
}

function joinedUsage(pieces: readonly Piece[]): Json | undefined {
  const total = usageOf(pieces);
  if (!total) return undefined;
  if (total.unit === "seconds") return { type: "duration", seconds: total.input };
  const { input, output } = total;
  return {
    type: "tokens",
    input_tokens: input,
    total_tokens: input + output,
    output_tokens: output,
    input_token_details: { text_tokens: 0, audio_tokens: input },
  };
}

/** What all pieces cost; undefined where the service does not say it of each, in one unit. */
export function usageOf(pieces: readonly Piece[]): Paid | undefined {
  const all = pieces.flatMap(({ usage }) => usage ?? []);
  const [first] = all;
  if (!first || all.length < pieces.length || all.some(({ unit }) => unit !== first.unit)) return undefined;
  const sum = (amounts: readonly number[]) => amounts.reduce((total, one) => total + one, 0);
  return { unit: first.unit, input: sum(all.map(({ input }) => input)), output: sum(all.map(({ output }) => output)) };
}
