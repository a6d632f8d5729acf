/** What jq said about a program. */
export interface JqAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * The filter as a program that says only whether its first output counts as a match: 0, "", [], {}, false and null do
 * not, nor does no output at all. So an endless stream of outputs ends after one, and no output, however large, leaves
 * the thread. The filter stands on lines of its own, because it may end in a comment.
 */
export const matchProgram = (filter: string): string => `first((\n${filter}\n)) | IN(null, false, 0, "", [], {}) | not`;

/** Programs that compile exactly when the filter does, and run nothing of it. */
export const checkPrograms = (filter: string): readonly string[] => [
  `def filter:\n${filter}\n; empty`,
  `if true then empty else\n${matchProgram(filter)}\nend`,
];

/** jq's own words without the line that only counts errors. Cut: a filter can put a document into its message. */
export function complaintOf({ stderr }: Pick<JqAnswer, "stderr">): string {
  const lines = stderr.split("\n").filter((line) => !/^jq: \d+ compile errors?$/.test(line));
  const text = lines.join("\n").replace(/^jq: error:? ?(?:\(at [^)]*\):? ?)?/, "");
  return text.length > LONGEST_COMPLAINT ? `${text.slice(0, LONGEST_COMPLAINT)} …` : text;
}

const LONGEST_COMPLAINT = 300;
