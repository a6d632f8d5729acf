import type { Json } from "../document.ts";
import { isObject, type JsonObject, own } from "../shape.ts";
import { numberAt, objectAt, objectsAt, speakerAt, textAt } from "./members.ts";
import { present, type Transcript, type TranscriptSegment, type TranscriptWord } from "./transcript.ts";

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

/** The transcript as the body of an analysis of type `wtf_transcription`. */
export function toWtf(transcript: Transcript, { createdAt, provider, model, duration }: WtfFacts): Json {
  const { text, language, confidence, segments } = transcript;
  const seconds = transcript.duration ?? duration;
  const speakers = [...new Set(segments.flatMap(({ speaker }) => speaker ?? []))];
  return {
    transcript: { text, ...known({ language, duration: seconds, confidence }) },
    segments: segments.map((segment, id) => ({ id, ...known(timed(segment)), ...wordsOf(segment) })),
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

const timed = ({ text, start, end, speaker, confidence }: TranscriptSegment | TranscriptWord) => ({
  text,
  start,
  end,
  speaker,
  confidence,
});

const wordsOf = ({ words }: TranscriptSegment) =>
  words?.length ? { words: words.map((word) => known(timed(word))) } : {};

const known = (members: { readonly [name: string]: Json | undefined }): { readonly [name: string]: Json } =>
  present<{ readonly [name: string]: Json }>(members);

/** Whether a body is one, whatever its analysis calls itself. */
export const isWtf = (body: JsonObject): boolean => isObject(own(body, "transcript"));

export function fromWtf(body: JsonObject): Transcript | undefined {
  const transcript = objectAt(body, "transcript") ?? {};
  const text = textAt(transcript, "text");
  if (text === undefined) return undefined;
  const words = objectsAt(body, "words").map(partOf<TranscriptWord>);
  const segments = objectsAt(body, "segments").map((segment): TranscriptSegment => {
    const own = objectsAt(segment, "words").map(partOf<TranscriptWord>);
    return { ...partOf<TranscriptSegment>(segment), ...(own.length > 0 && { words: own }) };
  });
  return present<Transcript>({
    text,
    language: textAt(transcript, "language"),
    duration: numberAt(transcript, "duration"),
    confidence: numberAt(transcript, "confidence"),
    segments: segments.length > 0 ? segments : text === "" ? [] : [{ text, ...(words.length > 0 && { words }) }],
  });
}

const partOf = <T extends TranscriptSegment | TranscriptWord>(part: JsonObject): T =>
  present<TranscriptSegment>({
    text: textAt(part, "text", "word") ?? "",
    start: numberAt(part, "start"),
    end: numberAt(part, "end"),
    speaker: speakerAt(part),
    confidence: numberAt(part, "confidence"),
    words: undefined,
  }) as T;
