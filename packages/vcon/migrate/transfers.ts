import { isObject, type JsonObject } from "../shape.ts";
import type { Step } from "./steps.ts";

/** Characters that further transfers may add to a document; lists that would take more stay as they are. */
const MAX_ADDED = 1_000_000;

const MEMBERS = ["transfer_target", "original", "consultation", "target_dialog"];

/**
 * Dialogs in which every transfer points at one target: lists of one become the index; longer lists become one
 * transfer each, the further ones at the end, so that no index moves.
 */
export function withSingleTransfers(dialogs: readonly unknown[], step: Step): readonly unknown[] {
  const further: JsonObject[] = [];
  let room = MAX_ADDED;
  const result = dialogs.map((dialog, index) => {
    if (!isObject(dialog)) return dialog;
    const lists = MEMBERS.filter((name) => isListOfIndices(dialog[name]));
    if (lists.length === 0) return dialog;
    const count = Math.max(...lists.map((name) => elementsOf(dialog[name]).length));
    const added = count === 1 ? 0 : (count - 1) * JSON.stringify(dialog).length;
    if (added > room) return dialog;
    room -= added;
    const each = Array.from({ length: count }, (_, at) => ({
      ...dialog,
      ...Object.fromEntries(lists.map((name) => [name, pick(dialog[name], at)])),
    }));
    for (const one of each.slice(1)) further.push(one);
    const rest = count > 1 ? `; ${count - 1} more were added at the end` : "";
    step("transfer", `/dialog/${index}`, `single indices in ${lists.join(", ")}${rest}`);
    return each[0];
  });
  return result.every((dialog, index) => dialog === dialogs[index]) ? dialogs : [...result, ...further];
}

/** A list of anything else means nothing: it stays, so that migrating again finds nothing new in it. */
const isListOfIndices = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((element) => Number.isInteger(element));

const elementsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The element at this place, the last one where the list is shorter. */
const pick = (value: unknown, at: number): unknown => elementsOf(value)[at] ?? elementsOf(value).at(-1);
