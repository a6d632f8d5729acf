import { timesFrom } from "./members.ts";
import { present, type TranscriptSegment } from "./transcript.ts";
import { hasVoices, readCueText, splitSegment } from "./voices.ts";

/** `00:01:02.500`, `01:02.500` or `00:01:02,500`. */
const TIME = String.raw`(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,6}))?`;
const TIMING = new RegExp(`^[ \\t]*${TIME}[ \\t]+-->[ \\t]+${TIME}(?:[ \\t].*)?$`);

/** Tells WebVTT and SubRip from other text: it begins with the name, or with the times of a cue. */
export const isCues = (text: string): boolean =>
  /^\uFEFF?WEBVTT(?:[ \t\r\n]|$)/.test(text) ||
  /^\uFEFF?\s*(?:\d+[ \t]*\r?\n[ \t]*)?(?:\d{1,4}:)?[0-5]?\d:[0-5]?\d[.,]\d{1,6}[ \t]+-->[ \t]/.test(text);

/** The cues of WebVTT or SubRip as segments, cut at voice tags. Notes, styles and regions are not said by anyone. */
export function readCues(text: string): TranscriptSegment[] {
  const blocks = text.replace(/\r\n?/g, "\n").split(/\n[ \t]*\n+/);
  return blocks.flatMap((block) => {
    const lines = block.split("\n");
    const at = lines.findIndex((line) => TIMING.test(line));
    // the name of a cue takes one line, and nothing else stands before its times
    if (at < 0 || at > 1 || /^(?:NOTE|STYLE|REGION)\b/.test(lines[0] ?? "")) return [];
    const times = TIMING.exec(lines[at] ?? "") ?? [];
    const words = lines.slice(at + 1).join("\n");
    const cue = present<TranscriptSegment>({
      text: hasVoices(words) ? words : readCueText(words),
      ...timesFrom(secondsFrom(times, 1), secondsFrom(times, 5)),
      speaker: undefined,
      confidence: undefined,
      words: undefined,
    });
    return splitSegment(cue).filter((segment) => segment.text !== "");
  });
}

function secondsFrom(times: readonly (string | undefined)[], at: number): number {
  const [hours = "0", minutes = "0", seconds = "0", fraction = "0"] = times.slice(at, at + 4);
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(`${seconds}.${fraction}`);
}
