import { sampleVcon } from "@vcon-server/core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { dayOf, isDay } from "../_shared/day.ts";
import { keysBelow, pointerOf, written } from "./layout.ts";

const days = fc
  .date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10).replaceAll("-", "/"));

test("the day of every date is the one that is written, whatever follows it", () => {
  const rest = fc.constantFrom("", "T23:59:59Z", "T00:30:00+14:00", "T23:30:00.123-12:00", " 10:00", "T24:61:61");
  fc.assert(
    fc.property(days, rest, (day, tail) => {
      expect(dayOf(`${day.replaceAll("/", "-")}${tail}`)).toBe(day);
    }),
  );
});

test.each([
  undefined,
  null,
  1767323045,
  "",
  "soon",
  "2026-13-01",
  "2026-02-29T00:00:00Z",
  "2026-1-2",
  "20260102",
  "../../..",
])("%o is no date", (createdAt) => expect(dayOf(createdAt)).toBeUndefined());

test("no content or metadata of a pointer leads to a key outside the layout", () => {
  const text = fc.oneof(fc.string(), days, fc.stringMatching(/^[\d/.,\- \n]{0,24}$/));
  fc.assert(
    fc.property(text, text, (content, others) => {
      const pointer = pointerOf(content, { "other-days": others });
      for (const day of pointer ? [pointer.day, ...pointer.others] : []) expect(isDay(day)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("a pointer is read as it was written, also with the line end an editor adds", () => {
  fc.assert(
    fc.property(days, fc.uniqueArray(days, { maxLength: 3 }), fc.constantFrom("", "\n", "\r\n"), (day, all, end) => {
      const pointer = { day, others: all.filter((other) => other !== day) };
      const { text, metadata } = written(pointer);
      expect(text).toMatch(/^\d{4}\/\d{2}\/\d{2}$/);
      expect(pointerOf(text + end, metadata)).toEqual(pointer);
    }),
  );
});

test("a path is put in front as it is, as the Python server does", () => {
  const { uuid } = sampleVcon();
  expect(keysBelow("").vcon(uuid, "2026/01/02")).toBe(`2026/01/02/${uuid}.vcon`);
  expect(keysBelow("a/b").pointer(uuid)).toBe(`a/b/lookup/${uuid}.txt`);
  expect(keysBelow("a/").vcon(uuid, "2026/01/02")).toBe(`a//2026/01/02/${uuid}.vcon`);
});
