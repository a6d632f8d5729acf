import type { Said } from "../_shared/local-analysis.ts";

export type Label = "negative" | "neutral" | "positive";

/** What service desks hear and the general word list does not know, or reads as praise. */
const COMPLAINTS: readonly RegExp[] = [
  /\b(?:un|not )acceptable\b|\bridiculous\b|\bdisgrace\w*|\boutrageous\b/i,
  /\b(?:nobody|no one|no-one|none of you|nothing) (?:answer|call|help|repl|respond|happen|work|come|came|care|seem|ever|knows)\w*/i,
  /\b(?:been|am|still|was|keep|kept) (?:\w+ )?waiting\b|\b(?:been|kept|left) on hold\b|\bhung up\b|\bcut off\b/i,
  /\bstill (?:not|no|haven't|hasn't|doesn't|don't|isn't|waiting|broken|nothing)\b|\byet again\b/i,
  /\b(?:over|double[- ])charged\b|\bcharged (?:me )?(?:twice|again|too much|extra)\b|\bwaste of (?:time|money)\b/i,
  /\b(?:second|third|fourth|fifth|tenth|\d+(?:nd|rd|th)) time (?:i|this|in|that|now)\b|\bevery time i (?:call|ask|write|try)\b/i,
  /\bfed up\b|\bsick of\b|\btired of\b|\bhad enough\b|\bnever (?:again|order|buy|use|came|arrived|got|received|called|come)\b/i,
  /\b(?:money back|legal action|complaint|complain(?:ing)?|let (?:me|us) down)\b/i,
];

/** What is said out of politeness, whatever the mood. */
const FORMULA =
  /\b(?:thank(?:s| you) for (?:calling|contacting|waiting|holding|your (?:call|patience|time|message|e-?mail|order|understanding))|how (?:can|may|could) (?:i|we) (?:help|assist)|you(?:'re| are) (?:very )?welcome|have a (?:\w+ )?(?:day|one|weekend|evening|night|morning|afternoon)|(?:nice|good|pleased) to (?:meet|speak|talk)|good (?:morning|afternoon|evening|day|night)|happy to (?:help|assist)|help you (?:today|with)|(?:i am|i'm|we are|we're|very|so)? ?sorry (?:about|to hear|for)|apologi[sz]e|apologies|anything else|(?:best|kind|warm) regards|sincerely)/i;

/** Words that sentences of assent consist of. */
const ASSENT =
  /^(?:\W|\b(?:ok|okay|yes|yeah|yep|sure|right|fine|well|good|great|please|thanks|thank|you|certainly|of|course|correct|alright|all|no|problem|hi|hello|hey)\b)*$/i;
/** Words up to which such a sentence says nothing. */
const FEW = 3;

/** A complaint weighs as much as the strongest words. */
const COMPLAINT = -0.75;
/** Up to this there is no praise in it: "please", "want", "yes". */
const FAINT = 0.2;

/** The mood of a sentence, −1 to 1; 0 where it shows none. */
export function scoreOf({ text, words, sentiment }: Pick<Said, "text" | "words" | "sentiment">): number {
  const plain = text.replaceAll("’", "'");
  if (COMPLAINTS.some((pattern) => pattern.test(plain))) return Math.min(COMPLAINT, sentiment);
  if (words.length <= FEW && ASSENT.test(plain)) return 0;
  return (sentiment > 0 && sentiment <= FAINT) || FORMULA.test(plain) ? 0 : sentiment;
}

/** The mood of several sentences: those that show one count, the strong ones more. */
export function overall(scores: readonly number[]): number {
  const weight = scores.reduce((sum, score) => sum + Math.abs(score), 0);
  return weight === 0 ? 0 : scores.reduce((sum, score) => sum + score * Math.abs(score), 0) / weight;
}
