import type { TranscriptSegment } from "./transcript.ts";

/** Speaker and words as WebVTT marks them: `<v Ann Lee>Hello.</v>`. */
export type Voice = Pick<TranscriptSegment, "speaker" | "text">;

/** The start of a voice span, with classes that do not matter here. */
const VOICE = /<v(?:\.[^\s<>]*)?[ \t]+([^>\n]{1,200})>/;
const VOICES = new RegExp(VOICE, "g");
/** Other marks of WebVTT cues: styles, classes, ruby, languages, karaoke times. */
const MARKS = /<\/?(?:v|c|i|b|u|ruby|rt|lang)(?:[.\s][^>\n]{0,200})?>|<\d{2,}:[\d:.]+>/g;

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", nbsp: " ", lrm: "", rlm: "" };

/** Returns true when a voice tag in the text says who speaks. */
export const hasVoices = (text: string): boolean => VOICE.test(text);

/** Cuts text where another voice begins, without the marks. Words before the first voice have no speaker. */
export function splitVoices(text: string): Voice[] {
  const starts = [...text.matchAll(VOICES)];
  const before = starts[0]?.index ?? text.length;
  const voices = starts.map((start, at) => ({
    speaker: readCueText(start[1] ?? ""),
    text: readCueText(text.slice(start.index + start[0].length, starts[at + 1]?.index)),
  }));
  return [{ text: readCueText(text.slice(0, before)) }, ...voices].filter((voice) => voice.text !== "");
}

/** The words of a cue without marks, on one line. */
export const readCueText = (text: string): string =>
  text
    .replace(MARKS, "")
    .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => ENTITIES[name] ?? "")
    .replace(/\s+/g, " ")
    .trim();

/** The segment cut at its voice tags; itself where it has none. */
export function splitSegment(segment: TranscriptSegment): TranscriptSegment[] {
  if (!hasVoices(segment.text)) return [segment];
  const { words: _, ...rest } = segment;
  const voices = splitVoices(segment.text);
  return voices.length === 1 ? [{ ...segment, ...voices[0] }] : voices.map((voice) => ({ ...rest, ...voice }));
}

/** Text without voice tags: a line for each voice, with its name in front. */
export const readVoices = (text: string): string =>
  hasVoices(text)
    ? splitVoices(text)
        .map((voice) => (voice.speaker === undefined ? voice.text : `${voice.speaker}: ${voice.text}`))
        .join("\n")
    : text;
