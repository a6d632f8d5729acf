import type { Finding } from "../finding.ts";
import { type RuleCode, ruleOf } from "./catalogue.ts";

/** What a finding may say besides its rule. */
export interface Remark {
  /** Even the profile `tolerant` refuses the document. */
  readonly fatal?: boolean;
  /** Overrides whether the profile `legacy` repairs it. */
  readonly fixable?: boolean;
}

/**
 * Takes findings down. Beyond its limit only fatal ones are kept, so that odd documents cannot fill the memory, and the
 * first broken MUST, for which the profile `strict` refuses the document.
 */
export interface Report {
  readonly add: (code: RuleCode, pointer: string, message: string) => void;
  /** Adds a finding for which even the tolerant profile refuses the document. */
  readonly refuse: (code: RuleCode, pointer: string, message: string) => void;
  /** The same report, for findings with this remark. */
  readonly as: (remark: Remark) => Pick<Report, "add">;
  readonly findings: () => Finding[];
}

export function newReport(limit: number): Report {
  const found: Finding[] = [];
  let [fatals, musts] = [0, 0];
  const as = ({ fatal = false, fixable }: Remark): Pick<Report, "add"> => ({
    add(code, pointer, message) {
      const rule = ruleOf(code);
      const isMust = rule.level === "MUST";
      if (found.length >= limit && !(fatal && fatals < limit) && !(isMust && musts === 0)) return;
      if (fatal) fatals++;
      if (isMust) musts++;
      found.push({
        code,
        rule: rule.rule,
        level: rule.level,
        pointer,
        message,
        fixable: fixable ?? rule.fixable,
        fatal,
      });
    },
  });
  return { add: as({}).add, refuse: as({ fatal: true }).add, as, findings: () => found };
}
