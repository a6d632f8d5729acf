import { defineLink } from "@vcon-server/core";
import { instantClock, type LinkRun, sampleVcon, testLink } from "@vcon-server/core/testing";
import { type Analysis, findings, type Vcon, withAnalysis } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Turn } from "./conversation.ts";
import { ENGLISH, readerOf } from "./english.ts";
import { addReading, readingOptions, type Said, shortened } from "./local-analysis.ts";
import { chat } from "./testdata/dialogues.ts";

let seen: readonly Said[] = [];

/** Counts sentences, as text or as JSON; it finds nothing in conversations of one sentence. */
const counting = defineLink({
  name: "counting",
  summary: "Counts sentences.",
  options: z.strictObject({ ...readingOptions("count", 2), as_json: z.boolean().default(false).describe("As JSON.") }),
  dependencies: ENGLISH,
  setup: ({ deps }) => readerOf(deps),
  run: (context) =>
    addReading(context, "counting", (said) => {
      seen = said;
      if (said.length === 1) return undefined;
      const tags = [{ name: "counted", value: "yes" }];
      return context.options.as_json
        ? { body: { json: { count: said.length } }, tags }
        : { body: { text: `${said.length}` } };
    }),
});

const counted = async (run: LinkRun): Promise<Vcon> => {
  const outcome = await testLink(counting, run);
  if (outcome.kind !== "forward") throw new Error("halted");
  return outcome.vcon;
};

const COUNT = { type: "count", vendor: "vcon-server", product: "counting", mediatype: "text/plain", encoding: "none" };
const SPEECH = `Customer: ${"This is what I said to them, and they did not listen. ".repeat(2_000)}`;
const TWO = [
  "Customer: Hello, I would like to know where my parcel is.",
  "Agent: It is in the van and it comes today.",
];

test("the analysis names what it was made from, who made it and how to read it", async () => {
  const vcon = chat(TWO);
  const result = await counted({ vcon });
  expect(result).toEqual({ ...vcon, analysis: [{ ...COUNT, dialog: [0, 1], body: "2" }] });
  expect(findings(result).filter(({ pointer, level }) => pointer.startsWith("/analysis") && level === "MUST")).toEqual(
    [],
  );
  expect(seen.map(({ turn }) => turn.speaker)).toEqual(["Ann Example", "Bob Example"]);
});

test("JSON is written the way of the chain, and tags come with it", async () => {
  const run = { vcon: chat(TWO), options: { as_json: true } };
  const [text, value] = [await counted(run), await counted({ ...run, jsonBodies: "value" })];
  expect(text.analysis).toMatchObject([{ mediatype: "application/json", encoding: "json", body: '{"count":2}' }]);
  expect(value.analysis).toMatchObject([{ encoding: "json", body: { count: 2 } }]);
  expect([text, value].map(({ attachments }) => attachments?.[0]?.body)).toEqual(['["counted:yes"]', ["counted:yes"]]);
});

test("a second run changes nothing, not even the object", async () => {
  for (const options of [{}, { per_dialog: true, min_words: 1 }, { as_json: true }]) {
    const once = await counted({ vcon: chat(TWO), options });
    expect(await counted({ vcon: once, options })).toBe(once);
  }
});

test("analyses of others, and those of another name, stay and do not count", async () => {
  const other: Analysis = { type: "count", dialog: [0, 1], vendor: "example", body: "12", encoding: "none" };
  const result = await counted({ vcon: withAnalysis(chat(TWO), other) });
  expect(result.analysis).toEqual([other, { ...COUNT, dialog: [0, 1], body: "2" }]);
  const named = await counted({ vcon: result, options: { analysis_type: "sentences" } });
  expect(named.analysis?.map(({ type }) => type)).toEqual(["count", "count", "sentences"]);
});

test("when a dialog comes later, the grown conversation is analysed again", async () => {
  const once = await counted({ vcon: chat(TWO) });
  const grown = {
    ...once,
    dialog: [...(once.dialog ?? []), ...(chat(["Customer: Thank you, that is good to know."]).dialog ?? [])],
  };
  const again = await counted({ vcon: grown });
  expect(again.analysis?.map(({ dialog }) => dialog)).toEqual([
    [0, 1],
    [0, 1, 2],
  ]);
});

test("each dialog by itself, as a number; one of which nothing is found is left out", async () => {
  const vcon = chat([`${TWO[0]} It should have come.`, TWO[1] ?? "", "Customer: Is that so? That is good."]);
  const result = await counted({ vcon, options: { per_dialog: true } });
  expect(result.analysis).toEqual([
    { ...COUNT, dialog: 0, body: "2" },
    { ...COUNT, dialog: 2, body: "2" },
  ]);
});

test.each([
  ["signed", { ...sampleVcon(), dialog: undefined, parties: undefined, payload: "e30", signatures: [] }],
  ["encrypted", { ...sampleVcon(), ciphertext: "x", recipients: [] }],
  ["without dialogs", sampleVcon({ dialog: [] })],
  [
    "of a recording that nobody transcribed",
    sampleVcon({ dialog: [{ type: "recording", url: "https://m.example/a.ogg" }] }),
  ],
  ["of one sentence, of which nothing is found", chat(["Customer: I would like to know where it is."])],
])("a vCon that is %s goes on as it came", async (_, members) => {
  const vcon: Vcon = JSON.parse(JSON.stringify(members));
  expect(await counted({ vcon })).toBe(vcon);
});

test("what is too short or not in English is not analysed, and the outcome says why", async () => {
  const german = chat([
    "Customer: Hallo, mein Paket sollte am Montag kommen. Wo ist es?",
    "Agent: Es ist im Auto und kommt heute noch.",
  ]);
  for (const [vcon, unchanged] of [
    [german, "not in English"],
    [chat(["Customer: Hi!"]), "too few words"],
    [chat(["Customer: https://links.example/a and https://links.example/b"]), "too few words"],
    [sampleVcon({ dialog: [] }), "no text"],
  ] as const)
    expect(await testLink(counting, { vcon })).toEqual({ kind: "forward", vcon, unchanged });
  expect(await testLink(counting, { vcon: chat(TWO) })).not.toHaveProperty("unchanged");
});

test("a transcript that says it is in another language is left out", async () => {
  const words = { text: "Where is it? It is in the van." };
  const analysis = [
    { type: "transcript", dialog: 0, vendor: "example", encoding: "json", body: { ...words, language: "de" } },
  ];
  const [recording] = [{ type: "recording", url: "https://m.example/a.ogg" }];
  expect((await counted({ vcon: sampleVcon({ dialog: [recording], analysis }) })).analysis).toBe(analysis);
  const mixed = sampleVcon({ dialog: [recording, ...(chat(TWO).dialog ?? [])], analysis });
  expect((await counted({ vcon: mixed })).analysis?.[1]).toMatchObject({ dialog: [1, 2], body: "2" });
});

test("of a long conversation the beginning is read, up to the end of a sentence, and others get their turn", async () => {
  const clock = instantClock();
  const vcon = chat([SPEECH]);
  expect((await counted({ vcon, clock })).analysis).toMatchObject([{ body: `${Math.floor(100_000 / 54)}` }]);
  expect(clock.slept.length).toBeGreaterThan(4);
  expect((await counted({ vcon, options: { max_characters: 1_000 } })).analysis).toMatchObject([{ body: "18" }]);
});

test("reading ends when the run is called off", async () => {
  const vcon = chat([SPEECH]);
  await expect(counted({ vcon, signal: AbortSignal.abort(new Error("shutting down")) })).rejects.toThrow(
    "shutting down",
  );
});

test("what is read is the beginning, within the limit, without half sentences or words", () => {
  const turn = fc
    .array(fc.constantFrom("one", "two.", "three?", "four!\n", "five,"), { maxLength: 12 })
    .map((words): Turn => ({ text: words.join(" "), dialog: 0 }));
  fc.assert(
    fc.property(fc.array(turn), fc.nat(120), (turns, limit) => {
      const kept = shortened(turns, limit);
      expect(kept.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(limit);
      const nonempty = turns.filter(({ text }) => text !== "");
      for (const [index, { text }] of kept.entries()) {
        const whole = nonempty[index]?.text ?? "";
        expect(whole.startsWith(text)).toBe(true);
        if (text !== whole)
          expect([kept.length - 1, whole.charAt(text.length)]).toEqual([index, expect.stringMatching(/\s/)]);
      }
    }),
  );
});

test.each([
  [{ analysis_type: "" }, /analysis_type/],
  [{ min_words: 0 }, /min_words/],
  [{ max_characters: 10 }, /max_characters/],
  [{ max_characters: 2_000_000 }, /max_characters/],
  [{ per_dialog: "yes" }, /per_dialog/],
])("the options %o are refused", (options, message) => {
  expect(() => counting.options.parse(options)).toThrow(message);
});
