import type { Vcon } from "./document.ts";
import { MAX_DEPTH } from "./json.ts";
import { isRawNumber } from "./json-number.ts";

/**
 * The document with U+FFFD in place of what databases cannot hold: U+0000 and halves of surrogate pairs, as services
 * and models now and then write them. Looks only at what differs from `before`; the very same object when nothing is
 * to be replaced, `undefined` when it is nested deeper than is read back (`MAX_DEPTH`).
 */
export const withSoundText = (after: Vcon, before: Vcon): Vcon | undefined => sound(after, before) as Vcon | undefined;

/** Any JSON value in the same way. */
export const soundJson = (value: unknown): unknown => sound(value, undefined);

function sound(after: unknown, before: unknown): unknown {
  try {
    return soundValue(after, before, 1);
  } catch (error) {
    if (error === TOO_DEEP) return undefined;
    throw error;
  }
}

const TOO_DEEP = Symbol("nested too deeply");

const soundText = (text: string): string =>
  text.isWellFormed() && !text.includes("\0") ? text : text.toWellFormed().replaceAll("\0", "\uFFFD");

function soundValue(after: unknown, before: unknown, depth: number): unknown {
  if (after === before) return after;
  if (typeof after === "string") return soundText(after);
  if (typeof after !== "object" || after === null || isRawNumber(after)) return after;
  if (depth > MAX_DEPTH) throw TOO_DEEP;
  const former = typeof before === "object" && before !== null ? (before as Readonly<Record<string, unknown>>) : {};
  return Array.isArray(after) ? soundList(after, former, depth) : soundMap(after, former, depth);
}

type Former = Readonly<Record<string, unknown>>;

function soundList(after: readonly unknown[], former: Former, depth: number): unknown {
  const list = after.map((value, at) => soundValue(value, former[at], depth + 1));
  return list.every((value, at) => value === after[at]) ? after : list;
}

function soundMap(after: object, former: Former, depth: number): unknown {
  let same = true;
  const members = Object.entries(after).map(([name, value]) => {
    const member = [soundText(name), soundValue(value, former[name], depth + 1)] as const;
    same &&= member[0] === name && member[1] === value;
    return member;
  });
  return same ? after : Object.fromEntries(members);
}
