import { type LinkRun, testLink } from "@vcon-server/core/testing";
import { tagsOf, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ENGLISH, readerOf } from "../_shared/english.ts";
import { chat, type DialogueName, dialogue } from "../_shared/testdata/dialogues.ts";
import keywords, { unwantedWords } from "./index.ts";
import { type Keyword, keywordsOf } from "./ranking.ts";

const read = readerOf({
  "wink-nlp": await ENGLISH["wink-nlp"](),
  "wink-eng-lite-web-model": await ENGLISH["wink-eng-lite-web-model"](),
});
const found = (text: string, unwanted: readonly string[] = [], max_phrase_words = 4): Keyword[] =>
  keywordsOf(
    read(text).map((sentence) => ({ ...sentence, turn: { text, dialog: 0 } })),
    { max_phrase_words, unwanted: new Set(unwanted) },
  );
const words = (all: readonly Keyword[]): string[] => all.map(({ keyword }) => keyword);

const run = async (vcon: Vcon, options: LinkRun["options"] = {}): Promise<Vcon> => {
  const outcome = await testLink(keywords, { vcon, options });
  if (outcome.kind !== "forward") throw new Error("halted");
  return outcome.vcon;
};
const keywordsIn = ({ analysis }: Vcon): Keyword[] =>
  JSON.parse(String(analysis?.find(({ type }) => type === "keywords")?.body));

test("a ranked list in an analysis of all dialogs it was made from", async () => {
  const vcon = chat([
    "Customer: The tracking number is wrong.",
    "Agent: Which tracking number? The label shows another order.",
  ]);
  const result = await run(vcon);
  expect(result).toEqual({
    ...vcon,
    analysis: [
      {
        type: "keywords",
        dialog: [0, 1],
        vendor: "vcon-server",
        product: "keywords",
        mediatype: "application/json",
        encoding: "json",
        body: expect.any(String),
      },
    ],
  });
  expect(keywordsIn(result)[0]).toEqual({ keyword: "tracking number", score: 1, count: 2 });
  expect(words(keywordsIn(result))).toEqual(expect.arrayContaining(["label", "order"]));
  expect(await run(result)).toBe(result);
});

test.each<[DialogueName, string[]]>([
  ["lostParcel", ["parcel", "refund"]],
  ["roses", ["roses", "driver"]],
  ["appointment", ["appointment", "slot"]],
  ["internet", ["street cabinet", "line test"]],
  ["billing", ["billing system", "subscription"]],
])("the keywords of %s are what it is about", async (name, expected) => {
  const result = words(keywordsIn(await run(dialogue(name))));
  expect(result).toEqual(expect.arrayContaining(expected));
  expect(result.join(" ")).not.toMatch(/hello|thank|help|\b(?:today|okay|goodbye)\b/i);
});

test("a word that only occurs in a phrase is left out; one that also stands alone is not", () => {
  expect(words(found("The premium plan is gone. I want the premium plan. The premium plan!"))).toEqual([
    "premium plan",
  ]);
  expect(found("The invoice is here. Another invoice. The invoice address is old.")).toEqual([
    { keyword: "invoice", score: 1, count: 3 },
    { keyword: "invoice address", score: expect.any(Number), count: 1 },
  ]);
});

test("forms of a word are one keyword, in its most frequent spelling", () => {
  expect(found("Parcels are late. Two parcels. A parcel.")).toMatchObject([{ keyword: "parcels", count: 3, score: 1 }]);
  expect(words(found("VPN is down. The VPN!"))).toEqual(["VPN"]);
  expect(words(found("They cancelled it. I cancelled it. Cancelling!"))).toEqual(["cancel"]);
});

test("phrases are as long as wanted and do not cross punctuation", () => {
  expect(words(found("The router password, printer settings."))).toEqual(["router password", "printer settings"]);
  expect(words(found("The router password.", [], 1))).toEqual(["router", "password"]);
});

test("names of the parties and words of your own can be left out", async () => {
  const vcon = chat([
    "Customer: Example Bank blocked the card of Ann Example.",
    "Agent: The card of Ann is in the mail.",
  ]);
  expect(words(keywordsIn(await run(vcon)))).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/ann|example/i)]),
  );
  expect(words(keywordsIn(await run(vcon, { skip_party_names: false }))).join(" ")).toMatch(/Ann/);
  expect(words(keywordsIn(await run(vcon, { stop_words: ["Card", "the mail"] }))).join(" ")).not.toMatch(/card|mail/i);
  expect([
    ...unwantedWords({ ...vcon, parties: [{}, { name: "Bo Li" }] }, { skip_party_names: true, stop_words: ["A B"] }),
  ]).toEqual(["bo", "li", "a", "b"]);
});

test("how many, how often and how telling", async () => {
  const vcon = dialogue("internet");
  expect(keywordsIn(await run(vcon, { max_keywords: 3 }))).toHaveLength(3);
  const frequent = keywordsIn(await run(vcon, { min_count: 2 }));
  expect(frequent.length).toBeGreaterThan(0);
  expect(frequent.every(({ count }) => count >= 2)).toBe(true);
  expect(keywordsIn(await run(vcon, { min_score: 0.7 })).every(({ score }) => score >= 0.7)).toBe(true);
  expect(await run(vcon, { min_count: 50 })).toBe(vcon);
});

test("the first ones become tags", async () => {
  const vcon = await run(dialogue("lostParcel"), { tag_top: 2, tag_name: "topic", max_keywords: 1 });
  expect(keywordsIn(vcon)).toHaveLength(1);
  expect(tagsOf(vcon).get("topic")).toHaveLength(2);
  expect(tagsOf(vcon).get("topic")?.[0]).toBe(keywordsIn(vcon)[0]?.keyword);
  expect(tagsOf(await run(dialogue("lostParcel"))).size).toBe(0);
});

test("whatever is said: scores fall from 1, counts are true, and every keyword stands in the text", () => {
  const word = fc.constantFrom(
    ..."the parcel Parcel refund tracking number late old will send VPN ok 4711 A4 don't Thursday . ? , ( 😀 constructor __proto__".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 80, size: "max" }), fc.integer({ min: 1, max: 5 }), (all, most) => {
      const text = all.join(" ");
      const result = found(text, ["late"], most);
      const scores = result.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(scores[0] ?? 1).toBe(1);
      for (const { keyword, count, score } of result) {
        expect(score).toBeGreaterThanOrEqual(0);
        expect(keyword.split(" ").length).toBeLessThanOrEqual(most);
        expect(count).toBeLessThanOrEqual(all.length);
        expect(keyword.toLowerCase()).not.toContain("late");
      }
      expect(new Set(words(result)).size).toBe(result.length);
      expect(found(text, ["late"], most)).toEqual(result);
    }),
  );
});

test.each([
  [{ max_keywords: 0 }, /max_keywords/],
  [{ max_phrase_words: 9 }, /max_phrase_words/],
  [{ min_score: 2 }, /min_score/],
  [{ tag_name: "a:b" }, /colon/],
  [{ stop_words: "card" }, /stop_words/],
  [{ top: 3 }, /top/],
])("the options %o are refused", (options, message) => {
  expect(() => keywords.options.parse(options)).toThrow(message);
});
