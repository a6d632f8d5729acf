import { existsSync, readFileSync } from "node:fs";

/** One begin of a logging step, in the order in which all processes appended to one file. */
export interface EffectLine {
  readonly uuid: string;
  /** Name of the step. */
  readonly step: string;
  readonly pid: number;
  readonly attempt: number;
}

export const formatEffect = ({ uuid, step, pid, attempt }: EffectLine): string => `${uuid} ${step} ${pid} ${attempt}\n`;

export function parseEffects(log: string): EffectLine[] {
  const lines = log.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [uuid, step, pid, attempt] = line.split(" ");
    if (!uuid || !step || !pid || !attempt)
      throw new Error(`the effect log holds a broken line: ${JSON.stringify(line)}`);
    return { uuid, step, pid: Number(pid), attempt: Number(attempt) };
  });
}

export const readEffects = (file: string): EffectLine[] =>
  existsSync(file) ? parseEffects(readFileSync(file, "utf8")) : [];

/** A step of the chain that writes such lines; an effect is checkpointed before the step after it begins. */
export interface LoggedStep {
  readonly name: string;
  readonly effect: boolean;
}

/**
 * Effects done again although they had been checkpointed: a line of an effect after a line of a later step of the same
 * vCon. Each vCon must have been queued once.
 */
export function repeatedEffects(lines: readonly EffectLine[], steps: readonly LoggedStep[]): EffectLine[] {
  const reached = new Map<string, number>();
  return lines.filter(({ uuid, step }) => {
    const at = steps.findIndex(({ name }) => name === step);
    const furthest = reached.get(uuid) ?? -1;
    reached.set(uuid, Math.max(at, furthest));
    return at < furthest && steps[at]?.effect === true;
  });
}

/** vCons of which some step was begun more than once: runs that were taken up again. */
export function redelivered(lines: readonly EffectLine[]): Set<string> {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const { uuid, step } of lines) {
    const key = `${uuid} ${step}`;
    if (seen.has(key)) again.add(uuid);
    seen.add(key);
  }
  return again;
}
