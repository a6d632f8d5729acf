import type { Word } from "../_shared/english.ts";
import type { Said } from "../_shared/local-analysis.ts";
import { SMALL_TALK, UNSPECIFIC } from "../_shared/small-talk.ts";

export interface Keyword {
  readonly keyword: string;
  /** 0 to 1; that of the first is 1. */
  readonly score: number;
  /** How often it occurs, in any of its forms. */
  readonly count: number;
}

export interface Choice {
  /** Words of a phrase at most. */
  readonly max_phrase_words: number;
  /** Words that are not wanted, in lower case. */
  readonly unwanted: ReadonlySet<string>;
}

const NAMES_THING = ["NOUN", "PROPN"];
const IN_PHRASE = ["NOUN", "PROPN", "ADJ"];
/** What is done matters less than what it is done to; so does a kind of detail, such as an "account number". */
const LESS = 0.5;

interface Candidate {
  readonly words: number;
  weight: number;
  count: number;
  /** How often it occurs inside a longer one, and in how many of them. */
  nested: number;
  longer: number;
  /** How often each spelling occurs. */
  readonly spellings: Map<string, number>;
}

/**
 * What a conversation is about, the most telling first: nouns, verbs, and phrases of nouns with their adjectives. A
 * phrase counts for more than its words, and a word that occurs only in a longer phrase is left out (C-value).
 */
export function keywordsOf(said: readonly Said[], choice: Choice): Keyword[] {
  const candidates = new Map<string, Candidate>();
  for (const words of withoutCapitals(said))
    for (const run of runsIn(words, choice.unwanted)) count(candidates, run, choice);
  nest(candidates);
  const ranked = [...candidates.values()]
    .map((candidate) => ({ candidate, value: worthOf(candidate) }))
    .filter(({ value }) => value > 0)
    .toSorted((one, other) => other.value - one.value);
  const best = ranked[0]?.value ?? 1;
  return ranked.map(({ candidate, value }) => ({
    keyword: spellingOf(candidate.spellings),
    score: Math.round((value / best) * 100) / 100,
    count: candidate.count,
  }));
}

/** The words of each sentence; one with a capital that also occurs without is no name but the beginning of a sentence. */
function withoutCapitals(said: readonly Said[]): Word[][] {
  const small = new Map(
    said.flatMap(({ words }) =>
      words.flatMap((word) => (word.text === word.normal ? [[word.normal, word] as const] : [])),
    ),
  );
  return said.map(({ words }) =>
    words.map((word) => {
      const same = word.pos === "PROPN" ? small.get(word.normal) : undefined;
      return same ? { ...word, lemma: same.lemma, pos: same.pos } : word;
    }),
  );
}

/** Neighbours that may stand in a phrase; a verb is alone. */
function runsIn(words: readonly Word[], unwanted: ReadonlySet<string>): Word[][] {
  const runs: Word[][] = [];
  let before: Word | undefined;
  for (const word of words.filter((one) => isTelling(one, unwanted))) {
    const follows = before !== undefined && word.at === before.at + 1 && inPhrase(before) && inPhrase(word);
    if (follows) runs.at(-1)?.push(word);
    else runs.push([word]);
    before = word;
  }
  return runs;
}

const inPhrase = ({ pos }: Word): boolean => IN_PHRASE.includes(pos);

const isTelling = ({ normal, lemma, text, stop, pos }: Word, unwanted: ReadonlySet<string>): boolean =>
  !stop &&
  (IN_PHRASE.includes(pos) || pos === "VERB") &&
  /^[\p{L}\p{N}][\p{L}\p{M}\p{N}&+#.-]*[\p{L}\p{M}\p{N}+#]$/u.test(text) &&
  ![normal, lemma].some((form) => SMALL_TALK.has(form) || unwanted.has(form));

/** Counts every phrase in a run that ends with a noun, and the run's nouns and verbs by themselves. */
function count(candidates: Map<string, Candidate>, run: readonly Word[], { max_phrase_words }: Choice): void {
  for (let from = 0; from < run.length; from++)
    for (let to = from + 1; to <= Math.min(run.length, from + max_phrase_words); to++) {
      const words = run.slice(from, to);
      const last = words.at(-1);
      if (last && isKeyword(words, last)) add(candidates, words, last);
    }
}

const isKeyword = (words: readonly Word[], { pos }: Word): boolean =>
  (NAMES_THING.includes(pos) || (pos === "VERB" && words.length === 1)) &&
  !words.every(({ lemma }) => UNSPECIFIC.has(lemma));

function add(candidates: Map<string, Candidate>, words: readonly Word[], last: Word): void {
  const key = words.map(({ lemma }) => lemma).join(" ");
  const spelling = last.pos === "VERB" ? last.lemma : words.map(spelled).join(" ");
  const weight = Math.log2(1 + words.length) * (last.pos === "VERB" || UNSPECIFIC.has(last.lemma) ? LESS : 1);
  const candidate = candidates.get(key) ?? { ...NEVER_SEEN, words: words.length, weight, spellings: new Map() };
  candidate.count += 1;
  candidate.weight = Math.max(candidate.weight, weight);
  candidate.spellings.set(spelling, (candidate.spellings.get(spelling) ?? 0) + 1);
  candidates.set(key, candidate);
}

/** A capital that only begins a sentence is no part of the word. */
const spelled = ({ text, normal, pos, first }: Word): string =>
  first && pos !== "PROPN" && /^\p{Lu}\P{Lu}*$/u.test(text) ? normal : text;

const NEVER_SEEN = { count: 0, nested: 0, longer: 0 };

/** Tells each candidate how often it occurs in longer ones. */
function nest(candidates: ReadonlyMap<string, Candidate>): void {
  for (const [key, { words, count }] of candidates) {
    const parts = key.split(" ");
    for (let length = 1; length < words; length++)
      for (let from = 0; from + length <= words; from++) {
        const inner = candidates.get(parts.slice(from, from + length).join(" "));
        if (!inner) continue;
        inner.nested += count;
        inner.longer += 1;
      }
  }
}

const worthOf = ({ weight, count, nested, longer }: Candidate): number =>
  weight * (longer === 0 ? count : count - nested / longer);

/** The most frequent spelling; one in small letters first, since a capital may only begin a sentence. */
function spellingOf(spellings: ReadonlyMap<string, number>): string {
  const ranked = [...spellings].toSorted(([, one], [, other]) => other - one).map(([spelling]) => spelling);
  return ranked.find((spelling) => spelling === spelling.toLowerCase()) ?? ranked[0] ?? "";
}
