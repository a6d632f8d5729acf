import type { Json } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readListened } from "./answer.ts";

const answer = (channels: Json, more: Record<string, Json> = {}): Json => ({
  metadata: { request_id: "r", duration: 12.5 },
  results: { channels, ...more },
});

const said = (transcript: string, confidence: number) => ({ alternatives: [{ transcript, confidence, words: [] }] });

test("one channel is kept as the Python server keeps it", () => {
  const read = readListened(answer([{ ...said("Hello.", 0.9), detected_language: "de" }]), undefined);
  expect(read).toMatchObject({
    body: { transcript: "Hello.", confidence: 0.9, words: [], detected_language: "de" },
    transcript: { text: "Hello.", language: "de", duration: 12.5 },
    confidence: 0.9,
    usage: { unit: "seconds", input: 12.5, output: 0 },
  });
});

test("a language nobody detected is the one that was asked for; only the Python server's form calls it en", () => {
  const value = answer([said("Salut.", 0.9)]);
  expect(readListened(value, "fr")).toMatchObject({
    body: { detected_language: "fr" },
    transcript: { language: "fr" },
  });
  expect(readListened(value, undefined)?.body).toMatchObject({ detected_language: "en" });
  expect(readListened(value, undefined)?.transcript.language).toBeUndefined();
});

test.each([
  [[said("a", 0.8), said("b", 0.6)], 0.7],
  [[said("", 0), said("b", 0.6)], 0.6],
  [[said("", 0), said(" ", 0)], 0],
  [[{ alternatives: [{ transcript: "a" }] }], undefined],
])("%j is as sure as the channels somebody speaks in: %s", (channels, confidence) => {
  const read = readListened(answer(channels), undefined);
  if (confidence === undefined) expect(read?.confidence).toBeUndefined();
  else expect(read?.confidence).toBeCloseTo(confidence);
});

test("members that are null are as if they were not there", () => {
  const silent = { alternatives: [{ transcript: null, confidence: null, words: null }], detected_language: null };
  const value = { metadata: null, results: { channels: [silent, said("a", 0.9)], utterances: null } };
  expect(readListened(value, undefined)).toMatchObject({
    body: { transcript: "", other_channels: [{ transcript: "a" }] },
    transcript: { text: "a" },
    confidence: 0.9,
    usage: undefined,
  });
});

test("what else was paid for is kept, and cannot take the place of the transcript", () => {
  const read = readListened(answer([said("a", 1), said("b", 1)], { summary: { short: "x" }, transcript: "no" }), "en");
  expect(read?.body).toMatchObject({ transcript: "a", summary: { short: "x" }, other_channels: [{ transcript: "b" }] });
});

test("whatever comes instead of an answer is none, and no error", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, inner) => {
      expect(readListened(value, "en")).toBeUndefined();
      expect(readListened({ results: inner }, "en")).toBeUndefined();
      expect(readListened({ results: { channels: [inner] } }, "en")).toBeUndefined();
      expect(readListened({ results: { channels: [{ alternatives: [inner] }] } }, "en")).toBeUndefined();
    }),
  );
});
