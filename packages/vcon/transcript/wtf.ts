import type { Json } from "../document.ts";
import { isObject, type JsonObject, own } from "../shape.ts";
import { confidenceAt, durationAt, objectAt, objectsAt, speakerAt, textAt, timesAt, timesFrom } from "./members.ts";
import { present, type Transcript, type TranscriptSegment, type TranscriptWord } from "./transcript.ts";
import { readVoices, splitSegment } from "./voices.ts";
import { joinTexts } from "./whisper.ts";

/** The World Transcription Format, draft-howe-vcon-wtf-extension: one shape for the transcripts of every vendor. */

/** Type of an analysis that holds one. */
export const WTF_TYPE = "wtf_transcription";
/** Its `schema`. */
export const WTF_SCHEMA = "https://datatracker.ietf.org/doc/draft-howe-vcon-wtf-extension/";

/** What is known about how a transcript came to be; written into its metadata. */
export interface WtfFacts {
  /** RFC 3339. */
  readonly createdAt: string;
  readonly provider: string;
  readonly model: string;
  /** Seconds of audio. */
  readonly duration?: number;
}

/**
 * Writes the transcript as the body of an analysis of type `wtf_transcription`. Times that lie after the end of the
 * recording, which recognizers invent in silence, become its end.
 */
export function toWtf(transcript: Transcript, { createdAt, provider, model, duration }: WtfFacts): Json {
  const { text, language, confidence, segments } = transcript;
  const seconds = transcript.duration ?? duration;
  const longest = Math.max(transcript.duration ?? 0, duration ?? 0);
  const end = longest > 0 ? longest : Number.POSITIVE_INFINITY;
  const speakers = [...new Set(segments.flatMap(({ speaker }) => speaker ?? []))];
  return {
    transcript: { text, ...known({ language, duration: seconds, confidence }) },
    segments: segments.map((segment, id) => ({ id, ...known(timed(segment, end)), ...wordsOf(segment, end) })),
    ...(speakers.length > 0 && {
      speakers: Object.fromEntries(speakers.map((id) => [String(id), { id, label: labelOf(id) }])),
    }),
    metadata: {
      created_at: createdAt,
      processed_at: createdAt,
      provider,
      model,
      ...(seconds !== undefined && { audio: { duration: seconds } }),
    },
    ...(confidence !== undefined && { quality: { average_confidence: confidence } }),
  };
}

const labelOf = (speaker: number | string): string => (typeof speaker === "number" ? `Speaker ${speaker}` : speaker);

function timed({ text, start, end, speaker, confidence }: TranscriptSegment | TranscriptWord, last: number) {
  const within = (time: number | undefined) => (time === undefined ? undefined : Math.min(time, last));
  return { text, ...timesFrom(within(start), within(end)), speaker, confidence };
}

const wordsOf = ({ words }: TranscriptSegment, last: number) =>
  words?.length ? { words: words.map((word) => known(timed(word, last))) } : {};

const known = (members: { readonly [name: string]: Json | undefined }): { readonly [name: string]: Json } =>
  present<{ readonly [name: string]: Json }>(members);

/** Whether a body is one, whatever its analysis calls itself. */
export const isWtf = (body: JsonObject): boolean => isObject(own(body, "transcript"));

/** Reads one; its text may stand in its segments or words alone. */
export function fromWtf(body: JsonObject): Transcript | undefined {
  const transcript = objectAt(body, "transcript") ?? {};
  const words = objectsAt(body, "words").map(partOf<TranscriptWord>);
  const segments = objectsAt(body, "segments").flatMap((segment): TranscriptSegment[] => {
    const own = objectsAt(segment, "words").map(partOf<TranscriptWord>);
    return splitSegment({ ...partOf<TranscriptSegment>(segment), ...(own.length > 0 && { words: own }) });
  });
  const given = textAt(transcript, "text");
  const text = given || joinTexts(segments) || joinTexts(words) || given;
  if (text === undefined) return undefined;
  return present<Transcript>({
    text: readVoices(text),
    language: textAt(transcript, "language") || undefined,
    duration: durationAt(transcript),
    confidence: confidenceAt(transcript, "confidence"),
    segments:
      segments.length > 0 ? segments : text === "" ? [] : splitSegment({ text, ...(words.length > 0 && { words }) }),
  });
}

const partOf = <T extends TranscriptSegment | TranscriptWord>(part: JsonObject): T =>
  present<TranscriptSegment>({
    text: textAt(part, "text", "word") ?? "",
    ...timesAt(part),
    speaker: speakerAt(part),
    confidence: confidenceAt(part, "confidence"),
    words: undefined,
  }) as T;
