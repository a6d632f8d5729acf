import { isObject, type JsonObject, own } from "../shape.ts";
import { confidenceAt, durationAt, numberAt, objectAt, objectsAt, speakerAt, textAt, timesAt } from "./members.ts";
import { present, type Transcript, type TranscriptSegment, type TranscriptWord } from "./transcript.ts";
import { joinTexts } from "./whisper.ts";

/**
 * A whole answer of Deepgram's `/v1/listen` (`{metadata, results}`). Utterances, where they were asked for, are the
 * segments; of several channels without utterances the segments are sorted by time, with the channel as the speaker.
 */
export function fromDeepgramAnswer(answer: JsonObject): Transcript | undefined {
  const results = objectAt(answer, "results");
  if (!results) return undefined;
  const read = objectsAt(results, "channels").map((channel) =>
    fromAlternative(objectsAt(channel, "alternatives")[0], channel),
  );
  const joined = joinChannels(read, objectsAt(results, "utterances"));
  const duration = durationAt(objectAt(answer, "metadata") ?? {});
  return joined && { ...joined, ...(duration !== undefined && { duration }) };
}

/** The alternative of the first channel with those of the others beside it, as they are kept in a vCon. */
export const fromKeptChannels = (body: JsonObject): Transcript | undefined =>
  joinChannels(
    [body, ...objectsAt(body, "other_channels")].map((channel) => fromAlternative(channel)),
    objectsAt(body, "utterances"),
  );

/** A channel that could not be read keeps its number, so that the others keep theirs. */
function joinChannels(
  channels: readonly (Transcript | undefined)[],
  spoken: readonly JsonObject[],
): Transcript | undefined {
  const read = channels.filter((one) => one !== undefined);
  const [first] = read;
  if (!first) return undefined;
  const utterances = spoken.map(fromUtterance);
  if (channels.length === 1) return utterances.length > 0 ? { ...first, segments: utterances } : first;
  const byChannel = channels.flatMap((one, channel) =>
    (one?.segments ?? []).map((segment) => ({ speaker: channel, ...segment })),
  );
  const segments = (utterances.length > 0 ? utterances : byChannel).toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0));
  return present<Transcript>({
    text: segments.map(({ text }) => text).join("\n"),
    duration: undefined,
    ...judge(read),
    segments,
  });
}

/**
 * Confidence and language of all channels with speech: on average, and of the one in which most is said. A
 * silent channel has a confidence of 0 and any language, which says nothing about the others.
 */
function judge(channels: readonly Transcript[]) {
  const speaking = channels.filter(({ text }) => text !== "");
  const counted = speaking.length > 0 ? speaking : channels;
  const [most] = counted.toSorted((one, other) => other.text.length - one.text.length);
  return { confidence: mean(counted), language: most?.language };
}

/** One alternative, which is what the Python server keeps: `{transcript, confidence, words, paragraphs, …}`. */
export function fromAlternative(alternative: unknown, channel: JsonObject = {}): Transcript | undefined {
  if (!isObject(alternative)) return undefined;
  const given = textAt(alternative, "transcript");
  if (given === undefined && own(alternative, "transcript") !== null) return undefined;
  const words = objectsAt(alternative, "words").map(wordOf);
  const paragraphs = objectsAt(objectAt(alternative, "paragraphs") ?? {}, "paragraphs");
  const segments = paragraphs.length > 0 ? paragraphs.map((one) => fromParagraph(one, words)) : bySpeaker(words);
  const text = given || joinTexts(segments) || "";
  return present<Transcript>({
    text,
    language: textAt(alternative, "detected_language") || textAt(channel, "detected_language") || undefined,
    duration: undefined,
    confidence: confidenceAt(alternative, "confidence"),
    segments: segments.length > 0 ? segments : whole(text),
  });
}

const whole = (text: string): TranscriptSegment[] => (text === "" ? [] : [{ text }]);

function fromParagraph(paragraph: JsonObject, words: readonly TranscriptWord[]): TranscriptSegment {
  const sentences = objectsAt(paragraph, "sentences");
  const text = sentences.map((sentence) => textAt(sentence, "text") ?? "").join(" ");
  const { start, end } = timesAt(paragraph);
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
    ...timesAt(utterance),
    speaker: speakerAt(utterance) ?? numberAt(utterance, "channel"),
    confidence: confidenceAt(utterance, "confidence"),
    words: objectsAt(utterance, "words").map(wordOf),
  });

/** The word as it reads in the text, with punctuation where the vendor has it. */
const wordOf = (word: JsonObject): TranscriptWord =>
  present<TranscriptWord>({
    text: textAt(word, "punctuated_word", "word", "text") ?? "",
    ...timesAt(word),
    speaker: speakerAt(word),
    confidence: confidenceAt(word, "confidence"),
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

function mean(parts: readonly Pick<TranscriptWord, "confidence">[] | undefined): number | undefined {
  const known = (parts ?? []).flatMap(({ confidence }) => confidence ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length;
}

/** Whether an object is a whole answer of Deepgram's rather than one alternative. */
export const isDeepgramAnswer = (value: JsonObject): boolean => isObject(own(value, "results"));
