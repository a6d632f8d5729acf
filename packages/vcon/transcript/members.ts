import { isObject, type JsonObject, own } from "../shape.ts";

/** Readers of members whose type nobody has checked. */

export const textAt = (value: JsonObject, ...names: readonly string[]): string | undefined => {
  const found = names.map((name) => own(value, name)).find((member) => typeof member === "string");
  return typeof found === "string" ? found.trim() : undefined;
};

export const numberAt = (value: JsonObject, ...names: readonly string[]): number | undefined => {
  const found = names.map((name) => own(value, name)).find((member) => typeof member === "number");
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
};

/** Seconds of audio; undefined when the number is none. */
export const durationAt = (value: JsonObject): number | undefined => {
  const seconds = numberAt(value, "duration");
  return seconds !== undefined && seconds >= 0 ? seconds : undefined;
};

/** A number from 0 to 1; undefined for anything else, such as a percentage. */
export const confidenceAt = (value: JsonObject, ...names: readonly string[]): number | undefined => {
  const found = numberAt(value, ...names);
  return found !== undefined && found >= 0 && found <= 1 ? found : undefined;
};

interface Times {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

/** Times that hold: recognizers invent some, and readers of standard forms refuse an end before its start. */
export const timesAt = (value: JsonObject): Times => timesFrom(numberAt(value, "start"), numberAt(value, "end"));

export function timesFrom(start: number | undefined, end: number | undefined): Times {
  const from = start === undefined ? undefined : Math.max(0, start);
  return { start: from, end: end === undefined ? undefined : Math.max(from ?? 0, end) };
}

export const objectAt = (value: JsonObject, name: string): JsonObject | undefined => {
  const member = own(value, name);
  return isObject(member) ? member : undefined;
};

/** The objects in a list; nothing when it is no list. */
export const objectsAt = (value: JsonObject, name: string): readonly JsonObject[] => objectsIn(own(value, name)) ?? [];

export const objectsIn = (value: unknown): readonly JsonObject[] | undefined =>
  Array.isArray(value) ? value.filter(isObject) : undefined;

export const speakerAt = (value: JsonObject): number | string | undefined => {
  const speaker = own(value, "speaker") ?? own(value, "parties");
  if (typeof speaker === "number") return Number.isFinite(speaker) ? speaker : undefined;
  return typeof speaker === "string" && speaker !== "" ? speaker : undefined;
};
