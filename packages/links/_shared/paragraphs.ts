/** Longer ones are no words but links, keys and data. */
const LONGEST_WORD = 64;
/** Words without the end of a sentence, as recognizers without punctuation give them, before they are cut. */
const LONGEST_RUN = 60;
/** Characters of a paragraph, and of several that are read at once. */
const LONGEST = 4_000;
/** A line shorter than this was ended on purpose, not by a mail program that wraps lines. */
const WRAPPED = 60;

const ENDS_SENTENCE = /[.!?…]["')\]]*$/;
const BEGINS_ITEM = /^(?:[-*•·]|\d{1,3}[.)])\s/;

/**
 * The paragraphs of a text, each in one line: wrapped lines are joined, words that are no words become "…", and what goes
 * on without a full stop is cut, after a comma where there is one.
 */
export function paragraphsOf(text: string): string[] {
  const paragraphs: string[][] = [];
  let previous = "";
  for (const line of text.split(/\r\n?|\n/).map((one) => one.trim())) {
    const words = line.split(/\s+/).filter((word) => word !== "");
    const wrapped = previous.length >= WRAPPED && !ENDS_SENTENCE.test(previous) && !BEGINS_ITEM.test(line);
    if (wrapped && words.length > 0) paragraphs.at(-1)?.push(...words);
    else if (words.length > 0) paragraphs.push(words);
    previous = line;
  }
  return paragraphs.flatMap((words) => cut(words.map((word) => (word.length > LONGEST_WORD ? "…" : word))));
}

/** Paragraphs put together with a blank line between them, in readable pieces: many short ones one by one take long. */
export function gathered(paragraphs: readonly string[]): string[] {
  const pieces: string[][] = [];
  let length = LONGEST;
  for (const paragraph of paragraphs) {
    length += paragraph.length;
    if (length <= LONGEST) pieces.at(-1)?.push(paragraph);
    else pieces.push([paragraph]);
    length = length <= LONGEST ? length : paragraph.length;
  }
  return pieces.map((piece) => piece.join("\n\n"));
}

function cut(words: readonly string[]): string[] {
  const pieces: string[] = [];
  let [start, run, length, comma] = [0, 0, 0, 0];
  for (const [at, word] of words.entries()) {
    const ends = ENDS_SENTENCE.test(word);
    run = ends ? 0 : run + 1;
    length += word.length + 1;
    if (word.endsWith(",")) comma = at + 1;
    if (run <= LONGEST_RUN && !(ends && length > LONGEST)) continue;
    const end = run > LONGEST_RUN && comma > at - LONGEST_RUN / 2 ? comma : at + 1;
    pieces.push(words.slice(start, end).join(" "));
    [start, run, length] = [end, at + 1 - end, 0];
  }
  return start < words.length ? [...pieces, words.slice(start).join(" ")] : pieces;
}
