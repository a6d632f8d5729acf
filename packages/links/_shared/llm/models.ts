export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

/** What a model is known to take, by its name. Of a name that says nothing, such as a deployment's, nothing is known. */
export interface ModelHabits {
  /** It thinks before it answers, and takes no temperature but its own. */
  readonly reasons: boolean;
  /** The least it can be told to think. */
  readonly leastEffort?: Effort;
  /** It can be told how much to say. */
  readonly verbosity: boolean;
}

const PLAIN: ModelHabits = { reasons: false, verbosity: false };

const FAMILIES: readonly (readonly [name: RegExp, habits: ModelHabits])[] = [
  [/^gpt-5.*-chat/, PLAIN],
  [/^gpt-5(\.\d+)?-pro/, { reasons: true, verbosity: true }],
  [/^gpt-5(-mini|-nano)?(-\d{4}-\d\d-\d\d)?$/, { reasons: true, leastEffort: "minimal", verbosity: true }],
  [/^gpt-5\.\d+(-mini|-nano)?(-\d{4}-\d\d-\d\d)?$/, { reasons: true, leastEffort: "none", verbosity: true }],
  [/^gpt-([5-9]|\d\d)/, { reasons: true, leastEffort: "low", verbosity: false }],
  [/^o1-(mini|preview)/, { reasons: true, verbosity: false }],
  [/^o\d/, { reasons: true, leastEffort: "low", verbosity: false }],
];

/** The prefix that a proxy routes by does not count. */
export function habitsOf(model: string): ModelHabits {
  const name = model.slice(model.lastIndexOf("/") + 1).toLowerCase();
  return FAMILIES.find(([family]) => family.test(name))?.[1] ?? PLAIN;
}
