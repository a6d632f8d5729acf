import type { Vcon } from "../document.ts";
import type { MergeFinding } from "../finding.ts";
import { formOf } from "../form.ts";
import { deepEqual, type JsonObject } from "../shape.ts";
import { asVcon } from "../stored.ts";
import { mergeLists } from "./lists.ts";
import { conflicts, mergeObject } from "./members.ts";
import { LISTS } from "./references.ts";

/** A document before two edits, and after each of them. */
export interface Edits {
  readonly base: Vcon;
  /** Wins where the edits contradict each other. */
  readonly mine: Vcon;
  readonly theirs: Vcon;
}

export interface Merged {
  readonly vcon: Vcon;
  /** What of theirs had to give way. */
  readonly findings: readonly MergeFinding[];
}

/**
 * Brings two edits of one vCon together, member by member. What either appended to a list is kept, theirs first, and
 * indices follow what they point at. Signed and encrypted documents are not taken apart.
 */
export function mergeVcons({ base, mine, theirs }: Edits): Merged {
  if (deepEqual(theirs, base) || deepEqual(mine, theirs)) return { vcon: mine, findings: [] };
  if (deepEqual(mine, base)) return { vcon: theirs, findings: [] };
  const conflict = conflicts();
  if ([base, mine, theirs].some(isSealed)) {
    conflict.add("", "a sealed document was changed in two ways; the other one is recorded here", theirs);
    return { vcon: mine, findings: conflict.findings };
  }
  const lists = mergeLists({ base, mine, theirs }, conflict.add);
  const [before, ours, others] = [base, mine, theirs].map((vcon) => withoutLists(vcon, Object.keys(lists)));
  const members = mergeObject({ base: before!, mine: ours!, theirs: others! }, "", conflict.add);
  const vcon = asVcon(inOrder({ ...members, ...lists }, [...Object.keys(theirs), ...Object.keys(mine)]));
  return { vcon: vcon ?? mine, findings: conflict.findings };
}

const isSealed = (vcon: Vcon): boolean => ["signed", "encrypted"].includes(formOf(vcon) ?? "unsigned");

const withoutLists = (vcon: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(vcon).filter(([name]) => !names.includes(name)));

const inOrder = (object: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(
    [...new Set([...names, ...LISTS])].flatMap((name) => (Object.hasOwn(object, name) ? [[name, object[name]]] : [])),
  );
