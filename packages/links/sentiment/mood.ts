import type { Said } from "../_shared/local-analysis.ts";
import { type Label, overall, scoreOf } from "./scoring.ts";

/** How the sentences of somebody, or of all, sound together. */
type Verdict = {
  readonly label: Label;
  /** −1 to 1. */
  readonly score: number;
  /** How many sentences there are of each kind. */
  readonly sentences: { readonly [L in Label]: number };
};

type PartyVerdict = Verdict & { readonly party?: number; readonly name?: string };

type Quote = {
  readonly text: string;
  readonly score: number;
  readonly dialog: number;
  readonly party?: number;
  readonly name?: string;
};

/** The body of the analysis. */
export type Mood = Verdict & {
  readonly parties?: readonly PartyVerdict[];
  readonly most_negative?: Quote;
  readonly most_positive?: Quote;
};

export interface Thresholds {
  readonly negative_threshold: number;
  readonly positive_threshold: number;
}

export interface MoodOptions extends Thresholds {
  readonly per_party: boolean;
  readonly quotes: boolean;
}

interface Scored {
  readonly said: Said;
  readonly score: number;
}

/** The mood of a conversation: of all of it, of each known speaker, and where it shows most. */
export function moodOf(said: readonly Said[], options: MoodOptions): Mood {
  const scored = said.map((one) => ({ said: one, score: rounded(scoreOf(one)) }));
  return {
    ...verdict(scored, options),
    ...(options.per_party && { parties: partiesOf(scored, options) }),
    ...(options.quotes && quotesOf(scored)),
  };
}

export const labelOf = (score: number, { negative_threshold, positive_threshold }: Thresholds): Label =>
  score <= negative_threshold ? "negative" : score >= positive_threshold ? "positive" : "neutral";

function verdict(scored: readonly Scored[], thresholds: Thresholds): Verdict {
  const score = rounded(overall(scored.map((one) => one.score)));
  const sentences = { negative: 0, neutral: 0, positive: 0 };
  for (const one of scored) sentences[labelOf(one.score, thresholds)] += 1;
  return { label: labelOf(score, thresholds), score, sentences };
}

/** Those of whom it is known who they are, in the order in which they first speak. */
function partiesOf(scored: readonly Scored[], thresholds: Thresholds): PartyVerdict[] {
  const known = scored.filter(({ said: { turn } }) => turn.party !== undefined || turn.speaker !== undefined);
  const groups = Map.groupBy(known, ({ said: { turn } }) => turn.party ?? turn.speaker);
  return [...groups.values()].map((own) => ({ ...whoOf(own[0]), ...verdict(own, thresholds) }));
}

const whoOf = (scored: Scored | undefined) => {
  const { party, speaker } = scored?.said.turn ?? {};
  return { ...(party !== undefined && { party }), ...(speaker !== undefined && { name: speaker }) };
};

/** The first of the worst and the first of the best, where there are any. */
function quotesOf(scored: readonly Scored[]): Pick<Mood, "most_negative" | "most_positive"> {
  const worst = scored.reduce<Scored | undefined>(
    (found, one) => (one.score < (found?.score ?? 0) ? one : found),
    undefined,
  );
  const best = scored.reduce<Scored | undefined>(
    (found, one) => (one.score > (found?.score ?? 0) ? one : found),
    undefined,
  );
  return { ...(worst && { most_negative: quoteOf(worst) }), ...(best && { most_positive: quoteOf(best) }) };
}

const quoteOf = (scored: Scored): Quote => ({
  text: scored.said.text,
  score: scored.score,
  dialog: scored.said.turn.dialog,
  ...whoOf(scored),
});

/** Two decimals say enough; there is no negative zero in JSON. */
const rounded = (score: number): number => Math.round(score * 100) / 100 + 0;
