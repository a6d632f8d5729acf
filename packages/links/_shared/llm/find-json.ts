import { type Json, parseJson } from "@vcon-server/vcon";

export interface FoundJson {
  readonly values: readonly Json[];
  /** The text holds so much that looks like JSON that the rest of it was not read. */
  readonly exhausted: boolean;
}

/** Characters that may be looked at, for each character of the text: braces within prose are each tried to the end. */
const EFFORT = 20;

/**
 * Finds the JSON value that a text is, else the JSON objects within it: models without a JSON mode put them into fences
 * and between sentences. An object within another one is not found by itself.
 */
export function findJson(text: string): FoundJson {
  const whole = parseJson(text.trim());
  if (whole.ok) return { values: [whole.value], exhausted: false };
  const values: Json[] = [];
  let effort = EFFORT * text.length;
  let at = text.indexOf("{");
  while (at >= 0) {
    const end = findEnd(text, at);
    effort -= (end ?? text.length) - at;
    if (effort < 0) return { values, exhausted: true };
    const parsed = end === undefined ? undefined : parseJson(text.slice(at, end));
    if (parsed?.ok) values.push(parsed.value);
    at = text.indexOf("{", parsed?.ok && end !== undefined ? end : at + 1);
  }
  return { values, exhausted: false };
}

/** Everything that matters for where an object ends. */
const MARK = /["{}[\]\\]/g;

/** Returns the position after the object that begins here, if what follows looks like one at all. */
function findEnd(text: string, begin: number): number | undefined {
  const mark = new RegExp(MARK);
  mark.lastIndex = begin;
  let depth = 0;
  let quoted = false;
  for (let found = mark.exec(text); found; found = mark.exec(text)) {
    const [character] = found;
    if (character === "\\") mark.lastIndex++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted) depth += character === "{" || character === "[" ? 1 : -1;
    if (depth === 0) return found.index + 1;
  }
  return undefined;
}
