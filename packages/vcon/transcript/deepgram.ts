import { isObject, type JsonObject, own } from "../shape.ts";
import { numberAt, objectAt, objectsAt, speakerAt, textAt } from "./members.ts";
import { present, type Transcript, type TranscriptSegment, type TranscriptWord } from "./transcript.ts";

/**
 * A whole answer of Deepgram's `/v1/listen` (`{metadata, results}`). Utterances, where they were asked for, are the
 * segments; of several channels without utterances the segments are sorted by time, with the channel as the speaker.
 */
export function fromDeepgramAnswer(answer: JsonObject): Transcript | undefined {
  const results = objectAt(answer, "results");
  const channels = results ? objectsAt(results, "channels") : [];
  const read = channels.flatMap((channel) => fromAlternative(objectsAt(channel, "alternatives")[0], channel) ?? []);
  const [first] = read;
  if (!first || !results) return undefined;
  const utterances = objectsAt(results, "utterances").map(fromUtterance);
  const duration = numberAt(objectAt(answer, "metadata") ?? {}, "duration");
  if (read.length === 1) {
    const segments = utterances.length > 0 ? utterances : first.segments;
    return { ...first, segments, ...(duration !== undefined && { duration }) };
  }
  const byChannel = read.flatMap(({ segments }, channel) =>
    segments.map((segment) => ({ speaker: channel, ...segment })),
  );
  const segments = (utterances.length > 0 ? utterances : byChannel).toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0));
  return {
    ...first,
    text: segments.map(({ text }) => text).join("\n"),
    segments,
    ...(duration !== undefined && { duration }),
  };
}

/** One alternative, which is what the Python server keeps: `{transcript, confidence, words, paragraphs, …}`. */
export function fromAlternative(alternative: unknown, channel: JsonObject = {}): Transcript | undefined {
  if (!isObject(alternative)) return undefined;
  const text = textAt(alternative, "transcript");
  if (text === undefined) return undefined;
  const words = objectsAt(alternative, "words").map(wordOf);
  const paragraphs = objectsAt(objectAt(alternative, "paragraphs") ?? {}, "paragraphs");
  const segments = paragraphs.length > 0 ? paragraphs.map((one) => fromParagraph(one, words)) : bySpeaker(words);
  return present<Transcript>({
    text,
    language: textAt(alternative, "detected_language") ?? textAt(channel, "detected_language"),
    duration: undefined,
    confidence: numberAt(alternative, "confidence"),
    segments: segments.length > 0 ? segments : whole(text),
  });
}

const whole = (text: string): TranscriptSegment[] => (text === "" ? [] : [{ text }]);

function fromParagraph(paragraph: JsonObject, words: readonly TranscriptWord[]): TranscriptSegment {
  const sentences = objectsAt(paragraph, "sentences");
  const text = sentences.map((sentence) => textAt(sentence, "text") ?? "").join(" ");
  const [start, end] = [numberAt(paragraph, "start"), numberAt(paragraph, "end")];
  const inside = words.filter((word) => (word.start ?? -1) >= (start ?? 0) && (word.start ?? 0) < (end ?? 0));
  const own = inside.length > 0 ? inside : undefined;
  return present<TranscriptSegment>({
    text,
    start,
    end,
    speaker: speakerAt(paragraph),
    confidence: mean(own),
    words: own,
  });
}

const fromUtterance = (utterance: JsonObject): TranscriptSegment =>
  present<TranscriptSegment>({
    text: textAt(utterance, "transcript") ?? "",
    start: numberAt(utterance, "start"),
    end: numberAt(utterance, "end"),
    speaker: speakerAt(utterance) ?? numberAt(utterance, "channel"),
    confidence: numberAt(utterance, "confidence"),
    words: objectsAt(utterance, "words").map(wordOf),
  });

/** The word as it reads in the text, with punctuation where the vendor has it. */
const wordOf = (word: JsonObject): TranscriptWord =>
  present<TranscriptWord>({
    text: textAt(word, "punctuated_word", "word", "text") ?? "",
    start: numberAt(word, "start"),
    end: numberAt(word, "end"),
    speaker: speakerAt(word),
    confidence: numberAt(word, "confidence"),
  });

/** Words one after the other with the same speaker, as segments. */
export function bySpeaker(words: readonly TranscriptWord[]): TranscriptSegment[] {
  const groups: TranscriptWord[][] = [];
  for (const word of words) {
    const group = groups.at(-1);
    if (group && group[0]?.speaker === word.speaker) group.push(word);
    else groups.push([word]);
  }
  return groups.map((group) =>
    present<TranscriptSegment>({
      text: group.map(({ text }) => text).join(" "),
      start: group[0]?.start,
      end: group.at(-1)?.end,
      speaker: group[0]?.speaker,
      confidence: mean(group),
      words: group,
    }),
  );
}

function mean(words: readonly TranscriptWord[] | undefined): number | undefined {
  const known = (words ?? []).flatMap(({ confidence }) => confidence ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length;
}

/** Whether an object is a whole answer of Deepgram's rather than one alternative. */
export const isDeepgramAnswer = (value: JsonObject): boolean => isObject(own(value, "results"));
