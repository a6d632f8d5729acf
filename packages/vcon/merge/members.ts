import { readDate } from "../date.ts";
import type { Json } from "../document.ts";
import type { MergeFinding } from "../finding.ts";
import { token } from "../pointer.ts";
import { canonicalText, deepEqual, isObject, type JsonObject } from "../shape.ts";

/** A value before two edits and after each of them; `undefined` where the member is not there. */
export interface Versions {
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
}

/** Takes down what lost. */
export type Conflict = (pointer: string, message: string, other: unknown) => void;

/** Collects conflicts as findings. */
export function conflicts(): { readonly add: Conflict; readonly findings: readonly MergeFinding[] } {
  const findings: MergeFinding[] = [];
  const add: Conflict = (pointer, message, other) => {
    const lost = isJson(other) ? other : undefined;
    findings.push({
      code: "merge.conflict",
      rule: 0,
      level: "ADV",
      pointer,
      message,
      fixable: false,
      fatal: false,
      other: lost,
    });
  };
  return { add, findings };
}

const isJson = (value: unknown): value is Json => value !== undefined;

/** Both edits of a value: the one that changed it, both where they do not meet, mine where they contradict. */
export function mergeValue(versions: Versions, pointer: string, conflict: Conflict): unknown {
  const { base, mine, theirs } = versions;
  if (deepEqual(theirs, base) || deepEqual(mine, theirs)) return mine;
  if (deepEqual(mine, base)) return theirs;
  if (isObject(mine) && isObject(theirs) && (isObject(base) || base === undefined) && !pointer.endsWith("/body")) {
    return mergeObject({ base: base ?? {}, mine, theirs }, pointer, conflict);
  }
  const grown = pointer.endsWith("/body") ? undefined : bothAppended(versions);
  if (grown) return grown;
  if (pointer === "/updated_at") return later(mine, theirs);
  conflict(pointer, "was changed in two ways; the other change is recorded here", theirs);
  return mine;
}

/** Both edits of an object, member by member. Members stand in the order of theirs, then what is mine. */
export function mergeObject(
  { base, mine, theirs }: { readonly base: JsonObject; readonly mine: JsonObject; readonly theirs: JsonObject },
  pointer: string,
  conflict: Conflict,
): JsonObject {
  const names = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  const member = (object: JsonObject, name: string): unknown =>
    Object.hasOwn(object, name) ? object[name] : undefined;
  const entries = [...names].flatMap((name): [string, unknown][] => {
    const versions = { base: member(base, name), mine: member(mine, name), theirs: member(theirs, name) };
    const value = mergeValue(versions, `${pointer}/${token(name)}`, conflict);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

/** A list to which both appended: what they appended, then what I appended and they did not. */
function bothAppended({ base, mine, theirs }: Versions): readonly unknown[] | undefined {
  const before: readonly unknown[] = Array.isArray(base) ? base : [];
  if ((base !== undefined && !Array.isArray(base)) || !Array.isArray(mine) || !Array.isArray(theirs)) return undefined;
  const starts = (list: readonly unknown[]): boolean => before.every((element, at) => deepEqual(element, list[at]));
  if (!starts(mine) || !starts(theirs)) return undefined;
  const others: readonly unknown[] = theirs.slice(before.length);
  const left = new Map([...Map.groupBy(others, canonicalText)].map(([text, twins]) => [text, twins.length]));
  const added = mine.slice(before.length).filter((element: unknown) => {
    const text = canonicalText(element);
    const twins = left.get(text) ?? 0;
    left.set(text, twins - 1);
    return twins <= 0;
  });
  return [...before, ...others, ...added];
}

function later(mine: unknown, theirs: unknown): unknown {
  const time = (value: unknown): number =>
    (typeof value === "string" ? readDate(value)?.ms : undefined) ?? Number.NEGATIVE_INFINITY;
  return time(theirs) > time(mine) ? theirs : mine;
}
