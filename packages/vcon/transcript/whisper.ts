import type { JsonObject } from "../shape.ts";
import { numberAt, objectsAt, speakerAt, textAt } from "./members.ts";
import { present, type Transcript, type TranscriptSegment, type TranscriptWord } from "./transcript.ts";

/**
 * An answer of Whisper or of an OpenAI-compatible `/audio/transcriptions`: `{text}` alone, with `segments` and `words`
 * (`verbose_json`), or with speakers (`diarized_json`).
 */
export function fromWhisper(answer: JsonObject): Transcript | undefined {
  const text = textAt(answer, "text");
  if (text === undefined) return undefined;
  const words = objectsAt(answer, "words").map(wordOf);
  const segments = objectsAt(answer, "segments").map((segment) => segmentOf(segment, words));
  return present<Transcript>({
    text,
    language: textAt(answer, "language"),
    duration: numberAt(answer, "duration"),
    confidence: undefined,
    segments:
      segments.length > 0 ? segments : text === "" ? [] : [present<TranscriptSegment>({ ...whole(text, words) })],
  });
}

const whole = (text: string, words: readonly TranscriptWord[]) => ({
  text,
  start: words[0]?.start,
  end: words.at(-1)?.end,
  words: words.length > 0 ? words : undefined,
});

function segmentOf(segment: JsonObject, all: readonly TranscriptWord[]): TranscriptSegment {
  const [start, end] = [numberAt(segment, "start"), numberAt(segment, "end")];
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
    confidence: logarithm === undefined ? undefined : Math.min(1, Math.exp(logarithm)),
    words: words.length > 0 ? words : undefined,
  });
}

const wordOf = (word: JsonObject): TranscriptWord =>
  present<TranscriptWord>({
    text: textAt(word, "word", "text") ?? "",
    start: numberAt(word, "start"),
    end: numberAt(word, "end"),
    speaker: speakerAt(word),
    confidence: numberAt(word, "probability", "confidence"),
  });
