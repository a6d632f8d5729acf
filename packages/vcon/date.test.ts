import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dateFault, readDate, unixTime, writeDate } from "./date.ts";

const EIGHT = Date.UTC(2026, 8, 14, 8, 30);

describe("reading", () => {
  test.each([
    ["2026-09-14T08:30:00Z", "date"],
    ["2026-09-14T10:30:00+02:00", "date"],
    ["2026-09-14T08:30:00.000+00:00", "zero-fraction"],
    ["2026-09-14T08:30:00", "no-offset"],
    ["2026-09-14 08:30:00Z", "loose"],
    ["2026-09-14t08:30:00z", "loose"],
    ["2026-09-14T08:30Z", "loose"],
    ["2026-09-14T08:30:00+0000", "loose"],
    ["Mon, 14 Sep 2026 08:30:00 +0000", "loose"],
    ["14 Sep 2026 08:30 GMT", "loose"],
  ])("%s", (text, spelling) => expect(readDate(text)).toEqual({ ms: EIGHT, spelling }));

  test.each([
    "",
    "NOT-A-DATE",
    "2026",
    "2026-13-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-09-14T25:00:00Z",
    "2026-09-14T08:30:00+99:00",
    "1e3",
  ])("%j is no date", (text) => expect(readDate(text)).toBeUndefined());

  test("a bare date is midnight in UTC", () => {
    expect(readDate("2026-09-14")).toEqual({ ms: Date.UTC(2026, 8, 14), spelling: "no-offset" });
  });

  test("what is written is what the draft wants, and reads as the same time", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }),
        (date) => {
          const text = writeDate(date.getTime());
          expect(dateFault(text)).toBeUndefined();
          expect(readDate(text)).toEqual({ ms: date.getTime(), spelling: "date" });
        },
      ),
    );
  });

  test("a Unix time is in seconds unless that would be after the year 2600", () => {
    expect(unixTime(1_700_000_000)).toBe(1_700_000_000_000);
    expect(unixTime(1_700_000_000_000)).toBe(1_700_000_000_000);
  });
});

describe("faults", () => {
  test.each([
    ["2024-02-29T23:59:60Z", undefined],
    ["2026-09-14T08:30:00.5-05:00", undefined],
    ["2026-09-14T08:30:00.0Z", "zero-fraction"],
    ["2026-02-30T00:00:00Z", "unreal"],
    ["1900-02-29T00:00:00Z", "unreal"],
    ["2026-00-10T00:00:00Z", "unreal"],
    ["2026-01-01T24:00:00Z", "unreal"],
    ["2026-01-01T00:00:00+24:00", "unreal"],
    ["2026-01-01T00:00:00", "syntax"],
    ["2026-01-01t00:00:00Z", "syntax"],
    ["2026-01-01T00:00:00+0000", "syntax"],
    ["", "syntax"],
  ])("%s: %s", (text, fault) => expect(dateFault(text)).toBe(fault));
});
