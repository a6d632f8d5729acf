import { entriesOf, isObject, type JsonObject } from "../shape.ts";

/** The four arrays, each before those whose elements point into it. */
export const LISTS = ["parties", "dialog", "attachments", "analysis"] as const;
export type List = (typeof LISTS)[number];

/** Members that hold indices, single or in nested arrays, and the list they point into. */
const REFERENCES: Readonly<Record<List, Readonly<Record<string, List>>>> = {
  parties: {},
  dialog: {
    parties: "parties",
    originator: "parties",
    transferee: "parties",
    transferor: "parties",
    transfer_target: "parties",
    recordings: "dialog",
    recording_set: "dialog",
    original: "dialog",
    consultation: "dialog",
    target_dialog: "dialog",
  },
  attachments: { party: "parties", dialog: "dialog" },
  analysis: { dialog: "dialog", attachment: "attachments" },
};

export type Translate = (list: List, index: number) => number;

/** The element with every index in it translated; the same object when none changes. */
export function translated(element: unknown, list: List, translate: Translate): unknown {
  if (!isObject(element)) return element;
  let result = element;
  const put = (name: string, value: unknown): void => {
    if (value !== result[name]) result = { ...result, [name]: value };
  };
  for (const [name, into] of Object.entries(REFERENCES[list])) {
    if (Object.hasOwn(element, name))
      put(
        name,
        mapped(element[name], (index) => translate(into, index)),
      );
  }
  if (list === "dialog" && Array.isArray(element.party_history)) put("party_history", history(element, translate));
  return result;
}

/** Every place the element points at. */
export function referencesOf(element: unknown, list: List): (readonly [List, number])[] {
  const found: (readonly [List, number])[] = [];
  translated(element, list, (into, index) => {
    found.push([into, index]);
    return index;
  });
  return found;
}

function mapped(value: unknown, change: (index: number) => number): unknown {
  if (typeof value === "number") return change(value);
  if (!Array.isArray(value)) return value;
  const elements: readonly unknown[] = value;
  const result = elements.map((element) => mapped(element, change));
  return result.every((element, at) => element === elements[at]) ? value : result;
}

function history(dialog: JsonObject, translate: Translate): unknown {
  const events = [...entriesOf(dialog.party_history)].map(([, event]) => event);
  const result = events.map((event) => {
    if (!isObject(event) || typeof event.party !== "number") return event;
    const party = translate("parties", event.party);
    return party === event.party ? event : { ...event, party };
  });
  return result.every((event, at) => event === events[at]) ? dialog.party_history : result;
}
