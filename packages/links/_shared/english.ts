import type { ItsFunction, Model, WinkMethods } from "wink-nlp";

/** The packages that read English. They are loaded when the first step that needs them is set up. */
export const ENGLISH = {
  "wink-nlp": () => import("wink-nlp"),
  "wink-eng-lite-web-model": () => import("wink-eng-lite-web-model"),
};

export interface EnglishPackages {
  readonly "wink-nlp": Awaited<ReturnType<(typeof ENGLISH)["wink-nlp"]>>;
  readonly "wink-eng-lite-web-model": Awaited<ReturnType<(typeof ENGLISH)["wink-eng-lite-web-model"]>>;
}

export interface Word {
  /** Position in what was read; punctuation counts, so that neighbours can be told. */
  readonly at: number;
  /** Whether its sentence begins with it. */
  readonly first: boolean;
  /** As it stands in the text. */
  readonly text: string;
  /** In lower case, in American spelling, contractions spelled out. */
  readonly normal: string;
  /** The form a dictionary has it under. */
  readonly lemma: string;
  /** Part of speech by the tags of Universal Dependencies. */
  readonly pos: string;
  /** Whether it says little by itself: "the", "of", "is". */
  readonly stop: boolean;
}

export interface Sentence {
  /** As it stands in the text, white space apart. */
  readonly text: string;
  /** Without punctuation and numbers. */
  readonly words: readonly Word[];
  /** −1 to 1; 0 also where no word carries any. */
  readonly sentiment: number;
}

/** Splits paragraphs, with blank lines between them, into sentences and tags their words; the same text always gives the same. */
export type Reader = (text: string) => readonly Sentence[];

/** Words learned before the pipeline is made anew, since what it learns stays in memory: some 5 MB. */
const NEW_WORDS = 50_000;
const STEPS = ["sbd", "negation", "sentiment", "pos"];

/** One model for all steps of a process: it takes a sixth of a second and some 25 MB. */
const readers = new WeakMap<Model, Reader>();

/** The reader of this process. */
export function readerOf(packages: EnglishPackages): Reader {
  const model = packages["wink-eng-lite-web-model"].default;
  const known = readers.get(model);
  if (known) return known;
  const reader = createReader(packages["wink-nlp"].default, model);
  readers.set(model, reader);
  return reader;
}

function createReader(wink: EnglishPackages["wink-nlp"]["default"], model: Model): Reader {
  const start = () => createPipeline(wink, model);
  let pipeline = start();
  return (text) => {
    if (pipeline.learned() > NEW_WORDS) pipeline = start();
    const sentences = sentencesIn(pipeline.methods, text);
    pipeline.forget();
    return sentences;
  };
}

interface Pipeline {
  readonly methods: WinkMethods;
  /** How many words were learned so far. */
  learned(): number;
  /** Makes the words learned unknown again: the next text must not be split by what stood in this one. */
  forget(): void;
}

function createPipeline(wink: EnglishPackages["wink-nlp"]["default"], model: Model): Pipeline {
  const core: unknown = typeof model.core === "function" ? model.core() : undefined;
  const { hash, list } = lexemesOf(core);
  const inherent = list.length;
  let forgotten = inherent;
  // entities are not looked for; the model's own maker of them doubles a string whenever it is called
  const none = () => ({ machines: [], transformers: [] });
  const methods = wink({ ...model, core: () => core, ner: none, metaCER: none }, STEPS);
  return {
    methods,
    learned: () => forgotten - inherent,
    forget() {
      for (; forgotten < list.length; forgotten++) delete hash[list[forgotten] ?? ""];
    },
  };
}

interface Lexemes {
  /** Position in the list by word. */
  readonly hash: Record<string, number>;
  /** Grows by every word that is met for the first time. */
  readonly list: readonly string[];
}

/** The dictionary of a model, which is not part of its published types. */
function lexemesOf(core: unknown): Lexemes {
  const lexemes = memberOf(memberOf(core, "features"), "lexeme");
  const [hash, list] = [memberOf(lexemes, "hash"), memberOf(lexemes, "list")];
  if (typeof hash === "object" && hash !== null && Array.isArray(list)) return { hash: hash as Lexemes["hash"], list };
  throw new Error("wink-eng-lite-web-model is not of the build that wink-nlp 2.4 reads: install version 1.8.1");
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

function sentencesIn({ readDoc, its }: WinkMethods, text: string): Sentence[] {
  // of the same length, so that positions stay true
  const document = readDoc(text.replaceAll("’", "'"));
  const tokens = document.tokens();
  const places = placesOf(text.replaceAll("’", "'"), tokens.out());
  const [normals, lemmas, tags] = [
    tokens.out(its.normal),
    tokens.out(its.lemma as ItsFunction<string>),
    tokens.out(its.pos),
  ];
  const [types, stops] = [tokens.out(its.type), tokens.out(its.stopWordFlag)];
  const wordAt = (at: number, begin: number): Word[] => {
    const word = text.slice(...(places[at] ?? [0, 0]));
    if (types[at] !== "word" || !/\p{L}/u.test(word)) return [];
    const [normal = "", lemma = "", pos = ""] = [normals[at], lemmas[at], tags[at]];
    return [{ at, first: at === begin, text: word, normal, lemma, pos, stop: stops[at] === true }];
  };
  const sentiments = document.sentences().out(its.sentiment);
  return document
    .sentences()
    .out(its.span)
    .flatMap((span, index) => {
      const [first = 0, last = -1] = Array.isArray(span) ? span : [];
      if (last < first) return [];
      const words = Array.from({ length: last - first + 1 }, (_, offset) => wordAt(first + offset, first)).flat();
      const sentiment = Math.min(1, Math.max(-1, Number(sentiments[index]) || 0));
      // the blank line after a paragraph belongs to its last sentence
      return [{ text: text.slice(places[first]?.[0], places[last]?.[1]).trim(), words, sentiment }];
    });
}

/** Where each token begins and ends. */
function placesOf(text: string, tokens: readonly string[]): (readonly [number, number])[] {
  let at = 0;
  return tokens.map((token) => {
    const begin = Math.max(at, text.indexOf(token, at));
    at = begin + token.length;
    return [begin, at];
  });
}
