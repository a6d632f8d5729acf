import type { Json } from "@vcon-server/vcon";
import { transcriptIn } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { readAnswer } from "./ask.ts";
import { joined, joinedBody, type Piece, usageOf } from "./combine.ts";

function piece(answer: Json, start: number, end: number): Piece {
  const heard = readAnswer(answer);
  if (!heard) throw new Error("no answer");
  return { ...heard, stretch: { start, end } };
}

const whisper = (text: string, from: number) => ({
  text,
  language: "english",
  duration: 10,
  segments: [{ id: 0, start: from, end: from + 2, text, avg_logprob: -0.1 }],
  words: [{ word: text, start: from, end: from + 1 }],
  usage: { type: "duration", seconds: 10 },
});

test("times of segments and words are those of the recording", () => {
  const pieces = [piece(whisper("one", 1), 0, 10), piece(whisper("two", 3), 10, 18)];
  expect(joined(pieces)).toMatchObject({
    text: "one two",
    language: "en",
    duration: 18,
    segments: [
      { text: "one", start: 1, end: 3, words: [{ text: "one", start: 1, end: 2 }] },
      { text: "two", start: 13, end: 15, words: [{ text: "two", start: 13, end: 14 }] },
    ],
  });
  const body = joinedBody(pieces);
  expect(body).toMatchObject({
    text: "one two",
    duration: 18,
    segments: [{ start: 1 }, { start: 13, end: 15 }],
    words: [{ start: 1 }, { start: 13 }],
    usage: { type: "duration", seconds: 20 },
    chunked_transcription: { total_chunks: 2, chunk_results: [whisper("one", 1), whisper("two", 3)] },
  });
  expect(transcriptIn(body)?.segments[1]).toMatchObject({ start: 13 });
});

test("text without times was said somewhere in its piece", () => {
  const pieces = [piece({ text: "one" }, 0, 480), piece({ text: "" }, 480, 960), piece({ text: " two " }, 960, 1000)];
  expect(joined(pieces)).toEqual({
    text: "one two",
    duration: 1000,
    segments: [
      { text: "one", start: 0, end: 480 },
      { text: "two", start: 960, end: 1000 },
    ],
  });
});

test("who is A in one piece is not taken for A in the next", () => {
  const said = (speaker: string) => ({ text: "hi", segments: [{ speaker, start: 0, end: 1, text: "hi" }] });
  const pieces = [piece(said("A"), 0, 10), piece(said("A"), 10, 20)];
  expect(joined(pieces).segments.map(({ speaker }) => speaker)).toEqual(["A", "A (2)"]);
});

test("usage in tokens is summed as the Python server writes it", () => {
  const said = (input: number) => ({
    text: "x",
    usage: { type: "tokens", input_tokens: input, output_tokens: 5, total_tokens: input + 5 },
  });
  const pieces = [piece(said(100), 0, 10), piece(said(50), 10, 15)];
  expect(joinedBody(pieces)).toMatchObject({
    usage: {
      type: "tokens",
      input_tokens: 150,
      output_tokens: 10,
      total_tokens: 160,
      input_token_details: { text_tokens: 0, audio_tokens: 150 },
    },
  });
  expect(usageOf(pieces)).toEqual({ unit: "tokens", input: 150, output: 10 });
  expect(usageOf([...pieces, piece({ text: "y" }, 15, 20)])).toBeUndefined();
});

test("one piece is the answer as it is", () => {
  const answer = whisper("one", 1);
  expect(joinedBody([piece(answer, 0, 10)])).toEqual(answer);
});

test.each([[{}], [{ text: 3 }], [null], [[]], [{ request_id: "x" }]])("%j is no answer", (answer) => {
  expect(readAnswer(answer)).toBeUndefined();
});

test.each([
  ["english", "en"],
  ["German", "de"],
  ["haitian creole", "ht"],
  ["pt", "pt"],
  ["en-US", "en-US"],
  ["klingonish", "klingonish"],
])("the language %s is %s", (language, code) => {
  expect(readAnswer({ text: "x", language })?.transcript.language).toBe(code);
});

test("members that are null, or of another type, are as if they were not there", () => {
  const nothing = { language: null, languages: [null, { code: 7 }], usage: null, words: null, duration: null };
  expect(readAnswer({ text: "x", ...nothing })).toMatchObject({
    transcript: { text: "x", segments: [{ text: "x" }] },
    usage: undefined,
  });
  expect(readAnswer({ text: null, segments: [{ text: " x", start: null, end: null }] })?.transcript).toEqual({
    text: "x",
    segments: [{ text: "x" }],
  });
  const usage = { type: "tokens", input_tokens: 7, output_tokens: null };
  expect(readAnswer({ text: "x", language: 7, usage })?.usage).toEqual({ unit: "tokens", input: 7, output: 0 });
});

test("nothing is said after the end of the piece it was said in", () => {
  const late = (text: string) => ({
    text,
    segments: [{ start: 8, end: 400, text, words: [{ word: text, start: 300 }] }],
  });
  expect(joined([piece(late("one"), 0, 10), piece(late("two"), 10, 18)]).segments).toMatchObject([
    { start: 8, end: 10, words: [{ start: 10 }] },
    { start: 18, end: 18, words: [{ start: 18 }] },
  ]);
});

test("the language that was asked for, or the one the model found", () => {
  expect(readAnswer({ text: "x", language: "english" }, "de")?.transcript.language).toBe("de");
  expect(readAnswer({ text: "x", languages: [{ code: "fr" }] })?.transcript.language).toBe("fr");
  expect(readAnswer({ text: "x", languages: [] })?.transcript.language).toBeUndefined();
  expect(readAnswer("plain words")?.transcript.text).toBe("plain words");
});
