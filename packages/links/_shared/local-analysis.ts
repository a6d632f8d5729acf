import { type Clock, forward, type Outcome, type RunFacts } from "@vcon-server/core";
import {
  type Analysis,
  formOf,
  type Json,
  jsonBody,
  type Tag,
  textBody,
  type Vcon,
  withAnalysis,
  withTags,
} from "@vcon-server/vcon";
import { z } from "zod";
import { readConversation, type Turn } from "./conversation.ts";
import type { Reader, Sentence } from "./english.ts";
import { isEnglish, mayBeEnglish, withoutAddresses } from "./language.ts";
import { gathered, paragraphsOf } from "./paragraphs.ts";

/** A sentence and who said it. */
export interface Said extends Sentence {
  readonly turn: Turn;
}

/** What an analysis says: a text, or a value that is written as JSON. */
export interface Result {
  readonly body: { readonly text: string } | { readonly json: Json };
  readonly tags?: readonly Tag[];
}

/** Options of every link that reads a conversation without asking anybody. */
export const readingOptions = (type: string, minWords: number) => ({
  analysis_type: z.string().min(1).default(type).describe("Type of the analysis that is written."),
  per_dialog: z
    .boolean()
    .default(false)
    .describe("Whether each dialog gets an analysis of its own instead of one for the whole conversation."),
  min_words: z.int().min(1).default(minWords).describe("Words there must be; with fewer nothing is written."),
  max_characters: z
    .int()
    .min(1_000)
    .max(1_000_000)
    .default(100_000)
    .describe("Characters that are read, from the beginning; the rest is left out, from the end of a sentence on."),
});

interface Reading {
  readonly vcon: Vcon;
  readonly run: RunFacts;
  readonly options: {
    readonly analysis_type: string;
    readonly per_dialog: boolean;
    readonly min_words: number;
    readonly max_characters: number;
  };
  readonly state: Reader;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Who made an analysis; with `product` it tells ours from those of others. */
const VENDOR = "vcon-server";

/**
 * Adds an analysis of the conversation, or of each dialog, as `look` finds it. Forwards the very same vCon when there is
 * nothing to read, when what there is to read is not English, and when the analysis is there already.
 */
export async function addReading(
  context: Reading,
  product: string,
  look: (said: readonly Said[]) => Result | undefined,
): Promise<Outcome> {
  const { vcon, options, run } = context;
  if (formOf(vcon) !== "unsigned") return forward(vcon, { unchanged: `the vCon is ${formOf(vcon)}` });
  const turns = await readConversation(vcon);
  const parts = groupTurns(turns, options.per_dialog);
  const reasons = new Set(turns.length === 0 ? ["no text"] : parts.length === 0 ? ["not in English"] : []);
  let result = vcon;
  for (const part of parts) {
    const analysis = { type: options.analysis_type, dialog: listDialogs(part), vendor: VENDOR, product };
    if ((result.analysis ?? []).some((other) => isSame(other, analysis))) continue;
    const unfit = findUnfitness(part, options);
    const found = unfit === undefined ? look(await read(part, context)) : undefined;
    if (found === undefined) reasons.add(unfit ?? "nothing found");
    if (found === undefined) continue;
    result = withAnalysis(result, { ...analysis, ...written(found.body, run) });
    result = withTags(result, found.tags ?? [], { mode: run.jsonBodies });
  }
  return forward(result, result === vcon && reasons.size > 0 ? { unchanged: [...reasons].join(", ") } : {});
}

/** Turns that are analysed together. */
function groupTurns(turns: readonly Turn[], perDialog: boolean): (readonly Turn[])[] {
  const spoken = turns.filter(({ language }) => mayBeEnglish(language));
  if (!perDialog) return spoken.length > 0 ? [spoken] : [];
  return [...Map.groupBy(spoken, ({ dialog }) => dialog)]
    .toSorted(([one], [other]) => one - other)
    .map(([, part]) => part);
}

/** One dialog as a number, which is what older consumers look for. */
function listDialogs(turns: readonly Turn[]): number | readonly number[] {
  const dialogs = [...new Set(turns.map(({ dialog }) => dialog))].toSorted((one, other) => one - other);
  return dialogs.length === 1 && dialogs[0] !== undefined ? dialogs[0] : dialogs;
}

const isSame = (analysis: Analysis, wanted: Analysis): boolean =>
  analysis.type === wanted.type &&
  analysis.vendor === wanted.vendor &&
  analysis.product === wanted.product &&
  [analysis.dialog].flat().join() === [wanted.dialog].flat().join();

/** Why a part of the conversation is not analysed. */
function findUnfitness(turns: readonly Turn[], { min_words }: Reading["options"]): string | undefined {
  const text = turns.map((turn) => turn.text).join("\n");
  let words = 0;
  for (const _ of withoutAddresses(text).matchAll(/[\p{L}\p{N}][^\s]*/gu)) if (++words >= min_words) break;
  if (words < min_words) return "too few words";
  return isEnglish(text) ? undefined : "not in English";
}

/** Characters after which others get their turn. */
const AT_A_TIME = 16_000;

async function read(turns: readonly Turn[], { state: reader, options, clock, signal }: Reading): Promise<Said[]> {
  const said: Said[] = [];
  let since = 0;
  for (const turn of shortened(turns, options.max_characters))
    for (const piece of gathered(paragraphsOf(turn.text))) {
      said.push(...reader(piece).map((sentence) => ({ ...sentence, turn })));
      since += piece.length;
      if (since < AT_A_TIME) continue;
      since = 0;
      await clock.sleep(0, signal);
    }
  return said;
}

/** The turns that fit; the last one ends with a sentence. */
export function shortened(turns: readonly Turn[], characters: number): Turn[] {
  let left = characters;
  return turns.flatMap((turn) => {
    if (left <= 0) return [];
    const text = turn.text.length <= left ? turn.text : beginning(turn.text, left);
    left = text.length < turn.text.length ? 0 : left - text.length;
    return text === "" ? [] : { ...turn, text };
  });
}

/** As many whole sentences as fit, else as many whole words. */
function beginning(text: string, characters: number): string {
  const cut = text.slice(0, characters);
  const end = Math.max(...[". ", "! ", "? ", "\n"].map((mark) => cut.lastIndexOf(mark)));
  return cut.slice(0, end >= 0 ? end + 1 : Math.max(0, cut.lastIndexOf(" "))).trimEnd();
}

const written = (body: Result["body"], { jsonBodies }: RunFacts) =>
  "text" in body
    ? { mediatype: "text/plain", ...textBody(body.text) }
    : { mediatype: "application/json", ...jsonBody(body.json, jsonBodies) };
