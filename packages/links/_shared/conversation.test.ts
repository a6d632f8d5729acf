import { fixtureVcons, sampleVcon } from "@vcon-server/core/testing";
import type { Dialog, Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { conversationText, readConversation } from "./conversation.ts";

const text = (body: string, members: Partial<Dialog> = {}): Dialog => ({
  type: "text",
  body,
  encoding: "none",
  ...members,
});
const recording = (members: Partial<Dialog> = {}): Dialog => ({
  type: "recording",
  mediatype: "audio/ogg",
  url: "https://media.example/a.ogg",
  ...members,
});
const transcript = (body: unknown, dialog = 0) => ({
  type: "transcript",
  dialog,
  vendor: "example",
  ...({ body, encoding: "json" } as object),
});
const said = async (vcon: Vcon) =>
  (await readConversation(vcon)).map(({ speaker, text: words }) => `${speaker ?? "?"}: ${words}`);

test("texts are in the order of their time, with the originator or the first party as the speaker", async () => {
  const vcon = sampleVcon({
    dialog: [
      text("third", { start: "2026-01-02T10:00:00+01:00", parties: [1, 0] }),
      text("first", { start: "2026-01-02T08:00:00Z", parties: [0, 1], originator: 1 }),
      text("second, without a time", { parties: 0 }),
    ],
  });
  expect(await readConversation(vcon)).toMatchObject([
    { text: "first", dialog: 1, party: 1, speaker: "Bob", time: Date.UTC(2026, 0, 2, 8) },
    { text: "second, without a time", dialog: 2, party: 0, speaker: "Ann" },
    { text: "third", dialog: 0, party: 1, speaker: "Bob" },
  ]);
  expect(conversationText(await readConversation(vcon))).toBe(
    "Bob: first\n\nAnn: second, without a time\n\nBob: third",
  );
});

test("a recording is read from its transcript, a text from its own body", async () => {
  const analysis = [
    transcript({ transcript: "spoken", detected_language: "en" }),
    transcript({ transcript: "not this" }, 1),
  ];
  const vcon = sampleVcon({ dialog: [recording({ parties: [0, 1] }), text("written", { parties: [1] })], analysis });
  expect(await readConversation(vcon)).toEqual([
    { text: "spoken", dialog: 0, language: "en" },
    { text: "written", dialog: 1, party: 1, speaker: "Bob" },
  ]);
});

test("pieces of one speaker become one turn, and recordings that overlap are interleaved", async () => {
  const segments = (...all: [number, string][]) =>
    transcript({ text: "x", segments: all.map(([start, words]) => ({ start, end: start + 1, text: words })) });
  const vcon = sampleVcon({
    dialog: [
      recording({ start: "2026-01-02T08:00:00Z", parties: 0 }),
      recording({ start: "2026-01-02T08:00:01Z", parties: [1] }),
    ],
    analysis: [
      segments([0, "Hello,"], [0.5, "it's Ann."], [5, "Is it fine?"]),
      { ...segments([2, "Hi Ann."], [6, "Yes."]), dialog: 1 },
    ],
  });
  expect(await said(vcon)).toEqual(["Ann: Hello, it's Ann.", "Bob: Hi Ann.", "Ann: Is it fine?", "Bob: Yes."]);
});

test("speakers are parties where name, role, address or channel says so", async () => {
  const parties = [
    { name: "Ann Lee", role: "Customer" },
    { mailto: "bob@example.com", name: "Bob" },
    { role: "agent" },
  ];
  const turns = ["customer", "ann lee", "BOB@example.com", "agent", "Nobody"].map((speaker) => ({
    speaker,
    message: `by ${speaker}`,
  }));
  const vcon = sampleVcon({ parties, dialog: [recording({ parties: [0, 1, 2] })], analysis: [transcript(turns)] });
  expect((await readConversation(vcon)).map(({ party, speaker }) => [party, speaker])).toEqual([
    [0, "Ann Lee"],
    [1, "Bob"],
    [2, undefined],
    [undefined, "Nobody"],
  ]);
  const numbered = [transcript([0, 1, 2].map((speaker) => ({ speaker, text: "hello" })))];
  const channels = sampleVcon({ dialog: [recording({ parties: [[1], [0, 1]] })], analysis: numbered });
  expect(await said(channels)).toEqual(["Bob: hello", "Speaker 1: hello", "Speaker 2: hello"]);
  const voices = sampleVcon({ dialog: [recording({ parties: [1, 0] })], analysis: numbered });
  expect(await said(voices)).toEqual(["Speaker 0: hello", "Speaker 1: hello", "Speaker 2: hello"]);
});

test("one party is one speaker: the words of a second one are not put into its mouth", async () => {
  const call = (...turns: object[]) => {
    const parties = [{ name: "Ann" }, { name: "Bob" }];
    return said(sampleVcon({ parties, dialog: [recording({ parties: [0] })], analysis: [transcript(turns)] }));
  };
  const hello = (speaker?: number | string) => ({ text: "hello", ...(speaker !== undefined && { speaker }) });
  expect(await call(hello(0), hello(1))).toEqual(["Speaker 0: hello", "Speaker 1: hello"]);
  expect(await call(hello("Ann"), hello(1))).toEqual(["Ann: hello", "Speaker 1: hello"]);
  expect(await call(hello("Ann"), hello("Bob"), hello())).toEqual(["Ann: hello", "Bob: hello", "?: hello"]);
  expect(await call(hello(1), hello(1))).toEqual(["Ann: hello hello"]);
  expect(await call(hello(), hello())).toEqual(["Ann: hello hello"]);
});

test("a role shared by two parties names neither", async () => {
  const vcon = sampleVcon({
    parties: [{ role: "agent" }, { role: "agent" }],
    dialog: [recording({ parties: [0, 1] })],
    analysis: [transcript([{ speaker: "agent", text: "hello" }])],
  });
  expect(await readConversation(vcon)).toEqual([{ text: "hello", dialog: 0, speaker: "agent" }]);
});

test("parties that are not there, and vCons without dialogs, are no failure", async () => {
  expect(await readConversation(sampleVcon({ dialog: [text("hello", { parties: [7] })] }))).toEqual([
    { text: "hello", dialog: 0 },
  ]);
  const { uuid } = sampleVcon();
  expect(await readConversation({ uuid })).toEqual([]);
});

test("any order of any dialogs is read: nothing is lost, and known times do not go back", async () => {
  const start = fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(fc.array(start), async (starts) => {
      const dialog = starts.map((second, index) =>
        text(`turn ${index}`, second === undefined ? {} : { start: new Date(second * 1000).toISOString() }),
      );
      const turns = await readConversation(sampleVcon({ dialog }));
      expect(turns.map((turn) => turn.dialog).toSorted((a, b) => a - b)).toEqual(starts.map((_, index) => index));
      const times = turns.flatMap(({ time }) => time ?? []);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }),
  );
});

test("every vCon of the fixtures is read, and what is said is not empty", async () => {
  let turns = 0;
  for (const { name, vcon } of fixtureVcons()) {
    for (const turn of await readConversation(vcon)) {
      expect(turn.text.trim(), name).not.toBe("");
      turns += 1;
    }
  }
  expect(turns).toBeGreaterThan(0);
});
