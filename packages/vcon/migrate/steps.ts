import type { Finding } from "../finding.ts";

/** Takes down what a migration did. */
export type Step = (what: string, pointer: string, message: string) => void;

/** Collects steps as findings with codes `migration.*`. */
export function stepList(): { readonly add: Step; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const add: Step = (what, pointer, message) => {
    findings.push({ code: `migration.${what}`, rule: 0, level: "ADV", pointer, message, fixable: false, fatal: false });
  };
  return { add, findings };
}
