import type { Said } from "../_shared/local-analysis.ts";
import { SMALL_TALK, UNSPECIFIC } from "../_shared/small-talk.ts";

const CARRIES = ["NOUN", "PROPN", "VERB", "ADJ"];

/** Politeness and housekeeping: what a summary can do without. */
const FORMULA =
  /\b(?:thank(?:s| you)|you(?:'|’)re (?:very )?welcome|how (?:can|may|could) (?:i|we) (?:help|assist)|help you (?:today|with)|my name(?:'|’)?s? |speaking\b|have a (?:\w+ )?(?:day|one|weekend|evening|night|morning|afternoon)|anything else|(?:nice|lovely|good|great) to (?:meet|speak|talk|hear)|happy to (?:help|assist)|pleasure|good (?:morning|afternoon|evening|day)|how are you|take care|sorry\b|apologi[sz]e|(?:good)?bye|regards|sincerely|(?:may|can|could) (?:i|you|we) (?:please )?(?:ask|have|know|get|provide|confirm|spell|verify)|one moment|hold on|please hold|bear with|looking forward|no problem|let me (?:check|see|look|pull))/i;

/** What somebody came for. */
const NEED =
  /\b(?:problems?|issues?|trouble|complain\w*|charged|overcharged|broken|damaged|missing|wrong|errors?|fail\w*|crash\w*|stop(?:s|ped)|drop(?:s|ped)|leak\w*|late|delay\w*|slow|stuck|lost|never|because|reason|question|(?:need|want|like|trying|hoping|supposed) (?:you )?to|would like|interested in|(?:calling|writing|asking) (?:about|because|to|regarding)|cannot|can(?:'|’)t|unable|(?:is|does|did|has|have|was|do)n(?:'|’)t|not (?:work|yet|been|come|arrive)\w*|still)\b/i;

/** What came of it. */
const OUTCOME =
  /\b(?:(?:i|we|he|she|they|you|it)(?:'|’)ll|will|going to|(?:has|have|had|been|was|were|is|are) (?:been )?(?:sent|put|issued|ordered|shipped|opened|reserved|refunded|resolved|fixed|scheduled|booked|cancel\w+|confirmed|updated|replaced|arranged|delivered|approved|credited|moved|found)|decided|agreed|refund(?:ed)?|credit(?:ed)?|replacement|solution|instead|by (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|noon|the end)|within|business days|next (?:step|week|month))\b/i;

/** What tells who somebody is, not what they want. */
const DETAILS =
  /\b(?:my|your|the) (?:e-?mail|phone|mobile|account|policy|order|customer|card|zip|post|first|last|full)?\s?(?:address|number|code|name|e-?mail|phone|date of birth|birthday) (?:is|are)\b/i;

/** Words: shorter sentences say little without their neighbours, not much longer ones do without a verb. */
const SHORT = 5;
const SHORT_WITHOUT_VERB = 7;
/** Words beyond which a sentence says too much. */
const LONG = 30;
/** Share of a sentence's content that chosen ones may have said already. */
const REPEATED = 0.6;
/** Share of the best one's score that a sentence must have: rather a shorter summary than one with padding. */
const WORTH = 0.15;

interface Weighed {
  readonly at: number;
  readonly said: Said;
  readonly terms: ReadonlySet<string>;
  readonly score: number;
}

/** Words of a sentence that it is about, each once. */
export const termsOf = ({ words }: Pick<Said, "words">): Set<string> =>
  new Set(
    words
      .filter(
        ({ stop, pos, lemma }) =>
          !stop && CARRIES.includes(pos) && lemma.length > 1 && !SMALL_TALK.has(lemma) && !UNSPECIFIC.has(lemma),
      )
      .map(({ lemma }) => lemma),
  );

/** How much each sentence tells of the whole: the more of what it is about is spoken of elsewhere, the more. */
function weigh(said: readonly Said[]): Weighed[] {
  const terms = said.map(termsOf);
  const counts = new Map<string, number>();
  for (const term of terms.flatMap((own) => [...own])) counts.set(term, (counts.get(term) ?? 0) + 1);
  return said.map((one, at) => {
    const own = terms[at] ?? new Set();
    const sum = [...own].reduce((total, term) => total + Math.log2(1 + (counts.get(term) ?? 0)), 0);
    const score = (sum / Math.sqrt(own.size + 4)) * wording(one) * place(at / said.length, one.text);
    return { at, said: one, terms: own, score };
  });
}

function wording({ text, words }: Said): number {
  const need = NEED.test(text);
  const verb = words.some(({ pos }) => pos === "VERB" || pos === "AUX");
  const numbers = words.filter(({ pos }) => pos === "NUM").length;
  return (
    (need ? 1.6 : 1) *
    (OUTCOME.test(text) ? 1.4 : 1) *
    (FORMULA.test(text) ? 0.25 : 1) *
    (DETAILS.test(text) || numbers > 4 ? 0.3 : 1) *
    (text.endsWith("?") && !need ? 0.6 : 1) *
    (words.length < (verb ? SHORT : SHORT_WITHOUT_VERB) ? 0.3 : Math.min(1, LONG / words.length))
  );
}

/** What a conversation is about is said at its beginning, what came of it at its end. */
const place = (share: number, text: string): number =>
  share < 0.3 ? 1.5 - share : share > 0.6 && OUTCOME.test(text) ? 1.3 : 1;

export interface Limits {
  readonly max_sentences: number;
  readonly max_summary_characters: number;
  /** Whether names are written in front, which takes room too. */
  readonly speaker_names: boolean;
}

/** The sentences that tell most, each saying something new, in the order they were said. */
export function summaryOf(said: readonly Said[], limits: Limits): Said[] {
  const weighed = weigh(said);
  const least = weighed.reduce((best, { score }) => Math.max(best, score), 0) * WORTH;
  const ranked = weighed
    .filter(({ score }) => score > 0 && score >= least)
    .toSorted((one, other) => other.score - one.score || one.at - other.at);
  const chosen: Weighed[] = [];
  const told = new Set<string>();
  let left = limits.max_summary_characters;
  for (const one of ranked) {
    if (chosen.length === limits.max_sentences) break;
    const known = [...one.terms].filter((term) => told.has(term)).length / one.terms.size;
    const length = lengthOf(one.said, limits);
    if (known > REPEATED || length > left) continue;
    chosen.push(one);
    for (const term of one.terms) told.add(term);
    left -= length + 1;
  }
  return chosen.toSorted((one, other) => one.at - other.at).map((one) => one.said);
}

const lengthOf = ({ text, turn }: Said, { speaker_names }: Limits): number =>
  text.length + (speaker_names && turn.speaker !== undefined ? turn.speaker.length + 2 : 0);
