import { sampleVcon } from "@vcon-server/core/testing";
import { type Analysis, type Dialog, toWtf, type Vcon, WTF_TYPE } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { z } from "zod";
import { listSubjects, sourceOptions } from "./source-text.ts";

const schema = z.strictObject(sourceOptions);
async function readTexts(vcon: Vcon, options: z.input<typeof schema> = {}) {
  const subjects = await listSubjects(vcon, schema.parse(options));
  const texts = [];
  for (const { dialogs, text } of subjects) texts.push([...dialogs, await text()]);
  return texts;
}

const call: Dialog = { type: "recording", start: "2026-01-02T03:04:05Z", parties: [0, 1], duration: 5 };
const message = (body: string, originator: number): Dialog => ({
  type: "text",
  start: "2026-01-02T03:04:05Z",
  parties: [0, 1],
  originator,
  mediatype: "text/plain",
  body,
  encoding: "none",
});
const about = (dialog: number, members: Partial<Analysis>): Analysis => ({ type: "transcript", dialog, ...members });
const json = (value: object) => ({ body: JSON.stringify(value), encoding: "json" });

const deepgram = json({
  transcript: "hi there hello",
  confidence: 0.9,
  paragraphs: {
    transcript: "\nSpeaker 0: hi there\n\nSpeaker 1: hello",
    paragraphs: [
      { speaker: 0, start: 0, end: 1, sentences: [{ text: "hi there", start: 0, end: 1 }] },
      { speaker: 1, start: 1, end: 2, sentences: [{ text: "hello", start: 1, end: 2 }] },
    ],
  },
});

test.each([
  ["Deepgram", deepgram, "Speaker 0: hi there\n\nSpeaker 1: hello"],
  ["Whisper", json({ text: "hi there", segments: [{ start: 0, end: 1, text: "hi there" }] }), "hi there"],
  ["plain text", { body: "hi there", encoding: "none" }, "hi there"],
  [
    "turns",
    json([
      { speaker: "Ann", message: "hi" },
      { speaker: "Bob", message: "hello" },
    ]),
    "Ann: hi\n\nBob: hello",
  ],
])("a transcript of %s is read with its speakers", async (_, members, text) => {
  expect(await readTexts(sampleVcon({ dialog: [call], analysis: [about(0, members)] }))).toEqual([[0, text]]);
});

test("a normalised transcript counts before a vendor's own", async () => {
  const segments = [{ text: "normalised", start: 0, end: 1 }];
  const body = toWtf(
    { text: "normalised", segments },
    { createdAt: "2026-01-02T03:04:05Z", provider: "x", model: "y" },
  );
  const analysis = [about(0, { body: "own", encoding: "none" }), about(0, { type: WTF_TYPE, body, encoding: "json" })];
  expect(await readTexts(sampleVcon({ dialog: [call], analysis }))).toEqual([[0, "normalised"]]);
});

test("a location is followed, and where it leads nowhere it fits another vendor", async () => {
  const located = { source: { text_location: "body.paragraphs.transcript" } };
  const vcon = sampleVcon({
    dialog: [call, call],
    analysis: [about(0, deepgram), about(1, json({ text: "of Whisper" }))],
  });
  expect(await readTexts(vcon, located)).toEqual([
    [0, "\nSpeaker 0: hi there\n\nSpeaker 1: hello"],
    [1, "of Whisper"],
  ]);
});

test("at `body` a transcript in JSON is what it says, not its JSON", async () => {
  const vcon = sampleVcon({ dialog: [call], analysis: [about(0, deepgram)] });
  expect(await readTexts(vcon, { source: { text_location: "body" } })).toEqual([
    [0, "Speaker 0: hi there\n\nSpeaker 1: hello"],
  ]);
});

test("other analyses are read at their location, JSON as JSON", async () => {
  const analysis = [
    about(0, { type: "facts", ...json({ people: [{ name: "Ann" }] }) }),
    about(1, { type: "facts", body: "some text", encoding: "none" }),
  ];
  const vcon = sampleVcon({ dialog: [call, call, call], analysis });
  const at = (text_location?: string) =>
    readTexts(vcon, { source: { analysis_type: "facts", ...(text_location !== undefined && { text_location }) } });
  expect(await at()).toEqual([
    [0, '{"people":[{"name":"Ann"}]}'],
    [1, "some text"],
    [2, undefined],
  ]);
  expect(await at("body.people.0.name")).toEqual([
    [0, "Ann"],
    [1, undefined],
    [2, undefined],
  ]);
  expect(await at("body.people.toString")).toEqual([
    [0, undefined],
    [1, undefined],
    [2, undefined],
  ]);
});

test("chats and mails are read together, each, or not", async () => {
  const vcon = sampleVcon({
    dialog: [message("hello", 0), call, message("how are you?", 1)],
    analysis: [about(1, { body: "on the phone", encoding: "none" })],
  });
  expect(await readTexts(vcon)).toEqual([
    [0, 2, "Ann: hello\n\nBob: how are you?"],
    [1, "on the phone"],
  ]);
  expect(await readTexts(vcon, { text_dialogs: "each" })).toEqual([
    [0, "Ann: hello"],
    [1, "on the phone"],
    [2, "Bob: how are you?"],
  ]);
  expect(await readTexts(vcon, { text_dialogs: "leave_out" })).toEqual([
    [0, undefined],
    [1, "on the phone"],
    [2, undefined],
  ]);
});

test("dialogs without text, and vCons without dialogs, have none", async () => {
  const vcon = sampleVcon({ dialog: [call], analysis: [about(0, { body: "  ", encoding: "none" })] });
  expect(await readTexts(vcon)).toEqual([[0, undefined]]);
  expect(await readTexts(sampleVcon({ dialog: [] }))).toEqual([]);
});

test.each(["transcript", "body.", "bodies", ".body", "body..x"])("the location %o is refused", (text_location) => {
  expect(() => schema.parse({ source: { text_location } })).toThrow("begins with body");
});
