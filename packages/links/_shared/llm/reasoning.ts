/** Marks around the reasoning of a family of models, as sources of case-insensitive expressions. */
interface Marks {
  readonly open: string;
  readonly close: string;
}

const WORDS = "(?:seed:)?(?:think|thinking|thought|reasoning)";

const FAMILIES: readonly Marks[] = [
  // DeepSeek R1, Qwen, GLM, MiniMax and Phi; with other words EXAONE, Reka and Seed
  { open: `<${WORDS}>`, close: `</${WORDS}>` },
  // Magistral
  { open: String.raw`\[THINK\]`, close: String.raw`\[/THINK\]` },
  // Kimi-VL
  { open: "◁think▷", close: "◁/think▷" },
  // Command A
  { open: String.raw`<\|START_THINKING\|>`, close: String.raw`<\|END_THINKING\|>` },
  // gpt-oss: everything before the final channel
  {
    open: String.raw`(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary)\b`,
    close: String.raw`<\|channel\|>final[\s\S]{0,100}?<\|message\|>`,
  },
];

/** Marks that some of these families put around the answer. */
const WRAPPERS: readonly RegExp[] = [
  /^<(answer|response)>([\s\S]*)<\/\1>$/i,
  /^<\|START_(RESPONSE)\|>([\s\S]*?)(?:<\|END_RESPONSE\|>)?$/i,
  /^()([\s\S]*)<\|(?:return|end)\|>$/i,
];

/**
 * Returns the answer without the reasoning that a model says first, between the marks of its family. The opening mark may
 * be missing, since chat templates put it into the prompt. Reasoning that does not end leaves nothing.
 */
export function withoutReasoning(content: string): string {
  const whole = content.trim();
  const answer = FAMILIES.reduce(skipReasoning, whole);
  return answer === whole ? whole : WRAPPERS.reduce(unwrap, answer);
}

function skipReasoning(text: string, marks: Marks): string {
  const again = new RegExp(`^${marks.open}`, "i");
  let rest = skipOnce(text, marks);
  // some reason again before they answer; further on in the answer, marks are only quoted
  while (rest !== text && again.test(rest)) rest = skipOnce(rest, marks);
  return rest;
}

function skipOnce(text: string, marks: Marks): string {
  const begin = new RegExp(marks.open, "i").exec(text);
  const from = begin?.index === 0 ? begin[0].length : 0;
  const end = new RegExp(marks.close, "i").exec(text.slice(from));
  if (!end) return from > 0 ? "" : text;
  // an opening mark further on is part of what is said, and so is the closing one behind it
  if (begin && begin.index > 0 && begin.index < end.index) return text;
  return text.slice(from + end.index + end[0].length).trimStart();
}

const unwrap = (text: string, wrapper: RegExp): string => (wrapper.exec(text)?.[2] ?? text).trim();
