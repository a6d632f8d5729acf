import fc from "fast-check";
import { expect, test } from "vitest";
import { ENGLISH, type EnglishPackages, type Reader, readerOf } from "./english.ts";
import { gathered, paragraphsOf } from "./paragraphs.ts";

const packages: EnglishPackages = {
  "wink-nlp": await ENGLISH["wink-nlp"](),
  "wink-eng-lite-web-model": await ENGLISH["wink-eng-lite-web-model"](),
};
const read = readerOf(packages);

const model = packages["wink-eng-lite-web-model"].default;
/** A reader that has read nothing yet. */
const fresh = (members: object = {}): Reader =>
  readerOf({ ...packages, "wink-eng-lite-web-model": { default: { ...model, ...members } } });

const texts = (text: string): string[] => read(text).map((sentence) => sentence.text);

const PIECES =
  "a the not good don’t won't can't I'm it's Dr. U.S. e.g. 3rd 10am £5 49.99 #4711 a@b.com http:// .com :) 😀 👩‍👩‍👧 … — ' \" ( ) , . ! ? - _ / ’ foo bar- é constructor __proto__ toString";

/** Text as people and machines write it, and as nobody does: pieces stuck together to words and words to lines. */
const anyText = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .array(fc.constantFrom(...PIECES.split(" ")), { minLength: 1, maxLength: 4 })
          .map((all) => all.join("")),
      },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
      { weight: 1, arbitrary: fc.constantFrom("\n", "\n\n") },
    ),
    { maxLength: 100, size: "max" },
  )
  .map((words) => words.join(" "));

test("sentences are split, also after abbreviations, and stand as they are written", () => {
  expect(texts("Dr. Smith paid $49.99 at 3 p.m. on Jan. 5. He didn’t call… Really? “Yes”, she said.")).toEqual([
    "Dr. Smith paid $49.99 at 3 p.m. on Jan. 5.",
    "He didn’t call… Really?",
    "“Yes”, she said.",
  ]);
  expect(texts("Hi Bob:\n\nit works\n\n- one\n\nBye")).toEqual(["Hi Bob:", "it works", "- one", "Bye"]);
});

test("words carry their dictionary form, their part of speech and their place", () => {
  const [sentence] = read("The parcels haven’t arrived, order 4711.");
  expect(sentence?.words.map(({ text, lemma, pos, stop }) => [text, lemma, pos, stop])).toEqual([
    ["The", "the", "DET", true],
    ["parcels", "parcel", "NOUN", false],
    ["have", "have", "AUX", true],
    ["n’t", "not", "PART", true],
    ["arrived", "arrive", "VERB", false],
    ["order", "order", "NOUN", false],
  ]);
  expect(sentence?.words.map(({ at, first }) => [at, first])).toEqual([
    [0, true],
    [1, false],
    [2, false],
    [3, false],
    [4, false],
    [6, false],
  ]);
});

test("mood shows, negated too", () => {
  const mood = (text: string) => Math.sign(read(text)[0]?.sentiment ?? 0);
  expect([
    mood("This is wonderful."),
    mood("This is not good."),
    mood("This is terrible."),
    mood("It is a table."),
  ]).toEqual([1, -1, -1, 0]);
});

test("one reader serves all steps of a process", () => {
  expect(readerOf({ ...packages })).toBe(read);
  expect(fresh()).not.toBe(read);
});

test("whatever the text: sentences come from it, in order, in one line, with a mood from −1 to 1", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const piece of gathered(paragraphsOf(text))) {
        let at = 0;
        for (const { text: sentence, words, sentiment } of read(piece)) {
          expect(piece.indexOf(sentence, at)).toBeGreaterThanOrEqual(at);
          at = piece.indexOf(sentence, at) + sentence.length;
          expect(sentence).not.toContain("\n");
          expect(Math.abs(sentiment)).toBeLessThanOrEqual(1);
          for (const word of words) expect(sentence).toContain(word.text);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("what was read before does not change what is read now", () => {
  const first = fresh();
  // what this reader found in each text when it had read nothing but those before it
  const seen = fc.sample(anyText, { numRuns: 200, seed: 7 }).map((text) => ({ text, found: first(text) }));
  const second = fresh();
  for (const { text, found } of seen.toReversed()) expect(second(text)).toEqual(found);
});

test("words met for the first time do not pile up, and reading goes on the same when they are thrown away", () => {
  const made: unknown[] = [];
  const counting = fresh({
    core: () => {
      made.push(1);
      return typeof model.core === "function" ? model.core() : undefined;
    },
  });
  const sentence = "The zyxgh of Mr. Qwertz is not so good.";
  const before = counting(sentence);
  for (let batch = 0; batch < 11; batch++)
    counting(Array.from({ length: 5_000 }, (_, index) => `w${(batch * 5_000 + index).toString(36)}q`).join(" "));
  expect(made).toHaveLength(1);
  expect(counting(sentence)).toEqual(before);
  expect(made).toHaveLength(2);
});

test("the model's maker of entity patterns is never called: each call doubles what it keeps", () => {
  const failing = () => {
    throw new Error("called");
  };
  expect(fresh({ metaCER: failing, ner: failing })("It works.")).toEqual(read("It works."));
});

test("a model of another build is refused with the version to install", () => {
  expect(() => fresh({ core: () => ({}) })).toThrow("install version 1.8.1");
});
