/** What the families of OpenAI's models take, as far as a request can go wrong. */
export interface ModelFacts {
  /** `reasoning_effort` values; none when the model does not reason. */
  readonly efforts: readonly string[];
  readonly verbosity: boolean;
  /** Only the default temperature is taken. */
  readonly fixedTemperature: boolean;
}

const PLAIN: ModelFacts = { efforts: [], verbosity: false, fixedTemperature: false };
const reasoning = (verbosity: boolean, ...efforts: readonly string[]): ModelFacts => ({
  efforts,
  verbosity,
  fixedTemperature: true,
});

const FAMILIES: readonly (readonly [name: RegExp, facts: ModelFacts])[] = [
  [/^gpt-5[^/]*-chat/, PLAIN],
  [/^gpt-5(\.\d+)?-pro/, reasoning(true, "high")],
  [/^gpt-5(-mini|-nano)?(-\d{4}-\d{2}-\d{2})?$/, reasoning(true, "minimal", "low", "medium", "high")],
  [/^gpt-5\.1(?!\d)/, reasoning(true, "none", "low", "medium", "high")],
  [/^gpt-(5|[6-9])/, reasoning(true, "none", "low", "medium", "high", "xhigh")],
  [/^o\d/, reasoning(false, "low", "medium", "high")],
];

/** By name; a prefix that a proxy routes by does not count. */
export const factsOfModel = (model: string): ModelFacts => {
  const name = model.slice(model.lastIndexOf("/") + 1);
  return FAMILIES.find(([family]) => family.test(name))?.[1] ?? PLAIN;
};
