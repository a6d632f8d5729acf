import { fixtureVcons, type LinkRun, sampleVcon, testLink } from "@vcon-server/core/testing";
import type { Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ENGLISH, readerOf } from "../_shared/english.ts";
import { chat, type DialogueName, dialogue } from "../_shared/testdata/dialogues.ts";
import summarize, { written } from "./index.ts";
import { summaryOf } from "./ranking.ts";

const read = readerOf({
  "wink-nlp": await ENGLISH["wink-nlp"](),
  "wink-eng-lite-web-model": await ENGLISH["wink-eng-lite-web-model"](),
});

const summarized = async (vcon: Vcon, options: LinkRun["options"] = {}): Promise<Vcon> => {
  const outcome = await testLink(summarize, { vcon, options });
  if (outcome.kind !== "forward") throw new Error("halted");
  return outcome.vcon;
};
const summaryIn = ({ analysis }: Vcon): string => String(analysis?.find(({ type }) => type === "summary")?.body);

test("the summary is text in an analysis of all dialogs it was made from", async () => {
  const vcon = dialogue("billing");
  expect(await summarized(vcon)).toEqual({
    ...vcon,
    analysis: [
      {
        type: "summary",
        dialog: [0, 1, 2, 3, 4, 5, 6],
        vendor: "vcon-server",
        product: "summarize",
        mediatype: "text/plain",
        body: "Ann Example: Hello, I was charged twice for my subscription in March.\nBob Example: That was an error in our billing system. The second payment will be refunded within five business days.",
        encoding: "none",
      },
    ],
  });
});

test.each<[DialogueName, RegExp[], RegExp]>([
  ["lostParcel", [/waiting for my parcel for three weeks/, /lost the parcel/], /How can I help|Could you give/],
  ["roses", [/roses arrived/], /Good morning|wonderful day/],
  ["appointment", [/moved your appointment to Thursday/], /Good afternoon|Goodbye/],
  [
    "internet",
    [/internet connection drops/, /engineer to the street cabinet/],
    /Thank you for calling|nice day|Let me/,
  ],
])("the summary of %s names the main points and leaves politeness out", async (name, points, politeness) => {
  const summary = summaryIn(await summarized(dialogue(name)));
  for (const point of points) expect(summary).toMatch(point);
  expect(summary).not.toMatch(politeness);
});

test("names are written where wanted and known", async () => {
  const vcon = dialogue("billing");
  expect(summaryIn(await summarized(vcon, { speaker_names: false }))).toMatch(/^Hello, .* March\. That was .* days\.$/);
  const nameless = { ...vcon, parties: [{}, {}] };
  expect(summaryIn(await summarized(nameless))).toMatch(/^Hello, .* March\. That was .* days\.$/);
  const half = { ...vcon, parties: [{}, { name: "Bob" }] };
  expect(summaryIn(await summarized(half))).toMatch(/^Hello, .*\nBob: That was .* days\.$/);
});

test("sentences and characters are limited; what fits nowhere is no summary", async () => {
  const vcon = dialogue("internet");
  const one = summaryIn(await summarized(vcon, { max_sentences: 1, speaker_names: false }));
  expect(one.match(/[.?!](?: |$)/g)).toHaveLength(1);
  expect(summaryIn(await summarized(vcon, { max_summary_characters: 80 })).length).toBeLessThanOrEqual(80);
  const long = chat([`Customer: I want to know ${"why it is that the parcel ".repeat(8)} is late.`]);
  expect(await summarized(long, { max_summary_characters: 40 })).toBe(long);
});

test("each dialog can have its own", async () => {
  const lines = dialogue("lostParcel").dialog?.map(({ body }) => String(body)) ?? [];
  const [first = "", ...rest] = lines;
  const result = await summarized(chat([first, rest.join(" ")]), {
    per_dialog: true,
    max_sentences: 1,
    speaker_names: false,
  });
  expect(result.analysis).toMatchObject([
    { type: "summary", dialog: 0, body: first },
    { type: "summary", dialog: 1 },
  ]);
});

test("greetings alone give no summary", async () => {
  const vcon = chat([
    "Customer: Hello, good morning, how are you?",
    "Agent: Fine, thanks, and you? Have a nice day.",
    "Customer: You too. Bye.",
  ]);
  expect(await summarized(vcon, { min_words: 1 })).toBe(vcon);
});

test("a transcript is summarised, and a second run changes nothing", async () => {
  const body = (dialogue("internet").dialog ?? []).map(({ body: message, originator }) => ({
    speaker: originator === 1 ? "Agent" : "Customer",
    message: String(message),
  }));
  const vcon = sampleVcon({
    dialog: [{ type: "recording", url: "https://media.example/a.ogg", parties: [0, 1] }],
    analysis: [{ type: "transcript", dialog: 0, vendor: "example", body, encoding: "json" }],
  });
  const once = await summarized(vcon);
  expect(once.analysis?.[1]).toMatchObject({
    type: "summary",
    dialog: 0,
    body: expect.stringMatching(/^Customer: .*drops.*\nAgent: .*engineer/),
  });
  expect(await summarized(once)).toBe(once);
});

test("whatever is said: the summary is made of its sentences, in order, each once, within the limits", () => {
  const word = fc.constantFrom(
    ..."I my the parcel refund problem was late will send never charged ok thank you 4711 don't Thursday . ? ! , \n😀 (".split(
      " ",
    ),
  );
  const lines = fc.array(
    fc.array(word, { maxLength: 30, size: "max" }).map((words) => words.join(" ")),
    { maxLength: 12 },
  );
  const limits = fc.record({
    max_sentences: fc.integer({ min: 1, max: 6 }),
    max_summary_characters: fc.integer({ min: 40, max: 300 }),
    speaker_names: fc.boolean(),
  });
  fc.assert(
    fc.property(lines, limits, (all, options) => {
      const said = all.flatMap((text, index) => {
        const turn = { text, dialog: index, ...(index % 2 === 0 && { speaker: "Ann" }) };
        return read(text.replaceAll("\n", " ")).map((sentence) => ({ ...sentence, turn }));
      });
      const chosen = summaryOf(said, options);
      expect(chosen.length).toBeLessThanOrEqual(options.max_sentences);
      const places = chosen.map((one) => said.indexOf(one));
      expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
      expect(places).not.toContain(-1);
      const text = written(chosen, options.speaker_names);
      expect(text.length).toBeLessThanOrEqual(options.max_summary_characters);
    }),
  );
});

test("real conversations: what they are about is named, and nothing else changes", async () => {
  const points: Readonly<Record<string, RegExp>> = {
    "mcp_siprec_billing.json": /charged twice for my subscription/,
    "fake_analysis_bria.vcon.json": /trouble understanding my recent bill/,
    "fake_text_turns.vcon.json": /adding a new vehicle to my coverage/,
    "conserver_dataset_1.vcon.json": /share an idea .* inventory issues/,
    "ok_text_chat.vcon.json": /^[^:]*: It is at the depot, I send it out again today\.$/m,
  };
  for (const { name, vcon } of fixtureVcons()) {
    const { analysis = [], ...rest } = await summarized(vcon);
    const { analysis: before = [], ...members } = vcon;
    expect([rest, analysis.slice(0, before.length)], name).toEqual([members, before]);
    const point = points[name];
    if (point) expect(String(analysis.at(-1)?.body), name).toMatch(point);
  }
});

test.each([
  [{ max_sentences: 0 }, /max_sentences/],
  [{ max_summary_characters: 5 }, /max_summary_characters/],
  [{ sentences: 3 }, /sentences/],
])("the options %o are refused", (options, message) => {
  expect(() => summarize.options.parse(options)).toThrow(message);
});
