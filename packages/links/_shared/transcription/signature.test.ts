import { expect, test } from "vitest";
import { signatureOf } from "./signature.ts";
import { encodedTone, wav } from "./testing/sounds.ts";

const text = (content: string) => new TextEncoder().encode(content);

test.each([
  ["mp3", "audio/mpeg", ["mp3"]],
  ["ogg", "audio/ogg", ["ogg", "-c:a", "libvorbis"]],
  ["flac", "audio/flac", ["flac"]],
  ["aac", "audio/aac", ["adts"]],
  ["webm", "audio/webm", ["webm", "-c:a", "libopus"]],
  ["mp4", "video/mp4", ["mp4", "-movflags", "frag_keyframe+empty_moov"]],
  ["aiff", "audio/aiff", ["aiff"]],
  ["au", "audio/basic", ["au"]],
] as const)("%s is recognised as %s", async (extension, mediatype, format) => {
  expect(signatureOf(await encodedTone(0.2, format))).toEqual({ kind: "media", mediatype, extension });
});

test("WAV is recognised", () => {
  expect(signatureOf(wav({ seconds: 0.1 }))).toMatchObject({ kind: "media", extension: "wav" });
});

test.each([
  ["<!DOCTYPE html><html><body>Not found</body></html>", "a web page or XML"],
  ['\n\n<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "a web page or XML"],
  ['{"error":"expired"}', "text"],
  ["Grüße".repeat(200), "text"],
  ["%PDF-1.7\n%\u0001", "a PDF"],
])("%j is no audio", (content, what) => {
  expect(signatureOf(text(content))).toEqual({ kind: "other", what });
});

test("images and archives are no audio", () => {
  for (const start of ["\x89PNG\r\n\x1a\n", "GIF89a\x00", "\xff\xd8\xff\xe0\x00", "PK\x03\x04\x00", "\x1f\x8b\x08\x00"])
    expect(signatureOf(Buffer.from(start, "latin1"))).toMatchObject({ kind: "other" });
});

test("raw samples may be anything", () => {
  expect(signatureOf(new Uint8Array(1_000))).toBeUndefined();
  expect(signatureOf(new Uint8Array(1_000).fill(0xff))).toBeUndefined();
  expect(signatureOf(new Uint8Array(1_000).fill(0x80))).toBeUndefined();
});
