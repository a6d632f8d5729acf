import { type LinkRun, sampleVcon, testLink } from "@vcon-server/core/testing";
import { tagsOf, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ENGLISH, readerOf } from "../_shared/english.ts";
import { chat, type DialogueName, dialogue } from "../_shared/testdata/dialogues.ts";
import sentiment from "./index.ts";
import { labelOf, type Mood, moodOf } from "./mood.ts";
import { overall, scoreOf } from "./scoring.ts";

const read = readerOf({
  "wink-nlp": await ENGLISH["wink-nlp"](),
  "wink-eng-lite-web-model": await ENGLISH["wink-eng-lite-web-model"](),
});

const run = async (vcon: Vcon, options: LinkRun["options"] = {}): Promise<Vcon> => {
  const outcome = await testLink(sentiment, { vcon, options });
  if (outcome.kind !== "forward") throw new Error("halted");
  return outcome.vcon;
};
const moodIn = ({ analysis }: Vcon): Mood =>
  JSON.parse(String(analysis?.find(({ type }) => type === "sentiment")?.body));

test("label and score of all, of each party, and the sentences where it shows most", async () => {
  const vcon = chat([
    "Customer: The delivery was terrible. It is order 4711.",
    "Agent: That is a bad start.",
    "Customer: Now it is a wonderful table.",
  ]);
  const result = await run(vcon);
  expect(result.analysis).toEqual([
    {
      type: "sentiment",
      dialog: [0, 1, 2],
      vendor: "vcon-server",
      product: "sentiment",
      mediatype: "application/json",
      encoding: "json",
      body: expect.any(String),
    },
  ]);
  expect(moodIn(result)).toEqual({
    label: "neutral",
    score: expect.any(Number),
    sentences: { negative: 2, neutral: 1, positive: 1 },
    parties: [
      {
        party: 0,
        name: "Ann Example",
        label: "positive",
        score: 0.4,
        sentences: { negative: 1, neutral: 1, positive: 1 },
      },
      {
        party: 1,
        name: "Bob Example",
        label: "negative",
        score: expect.any(Number),
        sentences: { negative: 1, neutral: 0, positive: 0 },
      },
    ],
    most_negative: { text: "The delivery was terrible.", score: -0.6, dialog: 0, party: 0, name: "Ann Example" },
    most_positive: { text: "Now it is a wonderful table.", score: 1, dialog: 2, party: 0, name: "Ann Example" },
  });
  expect(await run(result)).toBe(result);
});

test.each<[DialogueName, string, string]>([
  ["lostParcel", "negative", "negative"],
  ["roses", "positive", "positive"],
  ["appointment", "neutral", "neutral"],
  ["internet", "neutral", "neutral"],
  ["billing", "negative", "negative"],
])("%s is %s, and so is its customer", async (name, label, customer) => {
  const { parties = [], ...mood } = moodIn(await run(dialogue(name)));
  expect([mood.label, parties.find(({ party }) => party === 0)?.label]).toEqual([label, customer]);
});

test.each([
  "I've been waiting three weeks and nothing happened.",
  "This is unacceptable, I want to cancel.",
  "I want my money back now.",
  "You charged me twice.",
  "It’s the third time I call about this.",
  "I still haven't got a refund.",
  "I am not happy with this.",
])("%j is negative", (text) => expect(labels(text)).toBe("negative"));

test.each([
  "You have been wonderful!",
  "It is not bad at all.",
  "Great, thank you for your help.",
  "I really love the new app.",
])("%j is positive", (text) => expect(labels(text)).toBe("positive"));

test.each([
  "Thank you for calling Skyline, how can I help you today?",
  "I am sorry to hear that.",
  "Okay, great, thanks.",
  "Have a wonderful day!",
  "Could you please give me the order number?",
  "It is in the van and comes this afternoon.",
])("%j is politeness, or says nothing of a mood", (text) => expect(labels(text)).toBe("neutral"));

const said = (text: string) => read(text).map((sentence) => ({ ...sentence, turn: { text, dialog: 0 } }));
const THRESHOLDS = { negative_threshold: -0.3, positive_threshold: 0.3 };
const labels = (text: string) => labelOf(overall(said(text).map(scoreOf)), THRESHOLDS);

test("strong sentences count more than weak ones, and those without a mood do not count", () => {
  expect(overall([])).toBe(0);
  expect(overall([0, 0])).toBe(0);
  expect(overall([-0.8, 0.2, 0.2, 0])).toBeCloseTo(-0.467, 3);
});

test("thresholds decide the label, the value itself included", () => {
  const at = (score: number) => labelOf(score, { negative_threshold: -0.4, positive_threshold: 0.1 });
  expect([-1, -0.4, -0.39, 0, 0.09, 0.1, 1].map(at)).toEqual([
    "negative",
    "negative",
    "neutral",
    "neutral",
    "neutral",
    "positive",
    "positive",
  ]);
});

test("parties and quotes can be left out; the label can become a tag", async () => {
  const mood = moodIn(await run(dialogue("roses"), { per_party: false, quotes: false }));
  expect(Object.keys(mood)).toEqual(["label", "score", "sentences"]);
  expect(tagsOf(await run(dialogue("roses"), { tag: true })).get("sentiment")).toEqual(["positive"]);
  expect(tagsOf(await run(dialogue("roses"), { tag: true, tag_name: "mood" })).get("mood")).toEqual(["positive"]);
  expect(tagsOf(await run(dialogue("roses"))).size).toBe(0);
});

test("speakers who are no known party go by what the transcript calls them; unknown ones are only in the whole", async () => {
  const recording = { type: "recording", url: "https://media.example/a.ogg", parties: [0, 1] };
  const transcript = (body: string) => ({ type: "transcript", dialog: 0, vendor: "example", body, encoding: "none" });
  const named = sampleVcon({
    dialog: [recording],
    analysis: [transcript("Caller: This is terrible.\nDesk: That was not my idea.")],
  });
  expect(moodIn(await run(named)).parties).toMatchObject([
    { name: "Caller", label: "negative" },
    { name: "Desk", label: "neutral" },
  ]);
  const nameless = sampleVcon({ dialog: [recording], analysis: [transcript("This is terrible. It was not good.")] });
  expect(moodIn(await run(nameless))).toMatchObject({ label: "negative", parties: [], most_negative: { dialog: 0 } });
});

test("whatever is said: scores from −1 to 1, every sentence counted once, quotes from the text", () => {
  const word = fc.constantFrom(
    ..."I am not happy angry terrible wonderful thank you please worst best 😀 :( never waiting ok . ! ? , constructor".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60, size: "max" }), (all) => {
      const sentences = said(all.join(" ")).map((one, index) => ({
        ...one,
        turn: { ...one.turn, ...(index % 3 > 0 && { party: index % 3 }) },
      }));
      const mood = moodOf(sentences, { ...THRESHOLDS, per_party: true, quotes: true });
      for (const { score, label } of [mood, ...(mood.parties ?? [])]) {
        expect(Math.abs(score)).toBeLessThanOrEqual(1);
        expect(label).toBe(labelOf(score, THRESHOLDS));
      }
      expect(Object.values(mood.sentences).reduce((sum, count) => sum + count, 0)).toBe(sentences.length);
      for (const quote of [mood.most_negative, mood.most_positive])
        if (quote) expect(sentences.map(({ text }) => text)).toContain(quote.text);
      expect(mood.most_negative?.score ?? -1).toBeLessThan(0);
      expect(mood.most_positive?.score ?? 1).toBeGreaterThan(0);
    }),
  );
});

test.each([
  [{ negative_threshold: 0 }, /negative_threshold/],
  [{ positive_threshold: 1.5 }, /positive_threshold/],
  [{ tag: "yes" }, /tag/],
  [{ tag_name: "" }, /tag_name/],
  [{ party: true }, /party/],
])("the options %o are refused", (options, message) => {
  expect(() => sentiment.options.parse(options)).toThrow(message);
});
