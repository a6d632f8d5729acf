import type { JsonObject } from "../shape.ts";
import { isCues } from "./cues.ts";
import { confidenceAt, durationAt, numberAt, objectsAt, speakerAt, textAt, timesAt } from "./members.ts";
import { present, type Transcript, type TranscriptSegment, type TranscriptWord } from "./transcript.ts";
import { fromText } from "./turns.ts";
import { hasVoices, readVoices, splitSegment } from "./voices.ts";

/**
 * An answer of Whisper or of an OpenAI-compatible `/audio/transcriptions`: `{text}` alone, with `segments` and `words`
 * (`verbose_json`), or with speakers (`diarized_json`). Some servers leave `text` out, or write null, where the segments
 * or the words say it all; others put WebVTT or SubRip into it.
 */
export function fromWhisper(answer: JsonObject): Transcript | undefined {
  const words = objectsAt(answer, "words").map(wordOf);
  const given = objectsAt(answer, "segments").flatMap((segment) => splitSegment(segmentOf(segment, words)));
  const text = textAt(answer, "text") || joinTexts(given) || joinTexts(words) || textAt(answer, "text");
  if (text === undefined) return undefined;
  const marked = given.length === 0 && (isCues(text) || hasVoices(text)) ? fromText(text) : undefined;
  const segments = marked?.segments ?? given;
  return present<Transcript>({
    text: marked?.text ?? readVoices(text),
    language: textAt(answer, "language") || undefined,
    duration: durationAt(answer),
    confidence: undefined,
    segments: segments.length > 0 || text === "" ? segments : [whole(text, words)],
  });
}

/** The texts one after the other; undefined when there is none. */
export const joinTexts = (parts: readonly (TranscriptSegment | TranscriptWord)[]): string | undefined => {
  const text = parts
    .map((part) => part.text)
    .filter((one) => one !== "")
    .join(" ");
  return text === "" ? undefined : text;
};

const whole = (text: string, words: readonly TranscriptWord[]): TranscriptSegment =>
  present<TranscriptSegment>({
    text,
    start: words[0]?.start,
    end: words.at(-1)?.end,
    speaker: undefined,
    confidence: undefined,
    words: words.length > 0 ? words : undefined,
  });

function segmentOf(segment: JsonObject, all: readonly TranscriptWord[]): TranscriptSegment {
  const { start, end } = timesAt(segment);
  const given = objectsAt(segment, "words").map(wordOf);
  const words =
    given.length > 0
      ? given
      : all.filter((word) => (word.start ?? -1) >= (start ?? 0) && (word.start ?? 0) < (end ?? 0));
  const logarithm = numberAt(segment, "avg_logprob");
  return present<TranscriptSegment>({
    text: textAt(segment, "text") ?? "",
    start,
    end,
    speaker: speakerAt(segment),
    confidence: logarithm === undefined ? confidenceAt(segment, "confidence") : Math.min(1, Math.exp(logarithm)),
    words: words.length > 0 ? words : undefined,
  });
}

const wordOf = (word: JsonObject): TranscriptWord =>
  present<TranscriptWord>({
    text: textAt(word, "word", "text") ?? "",
    ...timesAt(word),
    speaker: speakerAt(word),
    confidence: confidenceAt(word, "probability", "confidence"),
  });
