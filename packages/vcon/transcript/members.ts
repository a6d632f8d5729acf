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
  if (typeof speaker === "number") return speaker;
  return typeof speaker === "string" && speaker !== "" ? speaker : undefined;
};
