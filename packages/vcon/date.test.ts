import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dateFault, readDate, readTime, unixTime, writeDate } from "./date.ts";

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
    ["2026-09-14T10:30:00+02", "loose"],
    ["2026-09-14 08:30:00+00", "loose"],
    ["2026-09-14 08:30:00 +0000", "loose"],
    ["2026-09-14 08:30:00 UTC", "loose"],
    ["2026-09-14T08:30:00,000Z", "loose"],
    ["Mon, 14 Sep 2026 10:30:00 +0200 (CEST)", "loose"],
    ["Mon (a \\) day (and another)), 14 (th)\r\n Sep 2026 08 : 30 : 00 (UTC) GMT", "loose"],
    ["mon, 14 sep 2026 08:30:00 gmt", "loose"],
    ["14 Sep 26 03:30:00 EST", "loose"],
    ["Monday, 14-Sep-26 08:30:00 GMT", "loose"],
    ["14 Sep 2026 08:30:00", "no-offset"],
    ["Mon Sep 14 08:30:00 2026", "no-offset"],
    // programs that round 59.9996 seconds write second 60
    ["2026-09-14T08:29:60Z", "loose"],
    ["2026-09-14T08:29:60.000Z", "loose"],
    ["14 Sep 2026 08:29:60 +0000", "loose"],
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
    "2026-09-14T08:30:00+05:",
    "2026-09-14T08:30:61Z",
    "30 Feb 2026 08:30:00 GMT",
    "Mon, 31 Apr 2026 08:30:00 +0000",
    "29 Feb 2026 08:30:00 +0000",
    "14 Sep 2026 25:30:00 +0000",
    "14 Sep 2026 08:30:00 +0260",
    "14 Sep 2026 08:30:00 CET",
    "14 Sep 2026 08:30:00 +0000 (not closed",
    "14 Foo 2026 08:30:00 +0000",
    "+010000-01-01T00:00:00Z",
    `14 Sep 2026 08:30:00 ${"(".repeat(100_000)}`,
  ])("%.60j is no date", (text) => expect(readDate(text)).toBeUndefined());

  test("a bare date is midnight in UTC", () => {
    expect(readDate("2026-09-14")).toEqual({ ms: Date.UTC(2026, 8, 14), spelling: "no-offset" });
  });

  const MIDNIGHT = Date.UTC(2017, 0, 1);
  test.each([
    ["2016-12-31T23:59:60Z", "date"],
    ["2016-12-31T18:59:60-05:00", "date"],
    ["2017-01-01T05:29:60+05:30", "date"],
    ["2016-12-31T23:59:60.0Z", "zero-fraction"],
    ["2016-12-31T23:59:60", "no-offset"],
    ["Sat, 31 Dec 2016 23:59:60 +0000", "loose"],
    ["Sat, 31 Dec 2016 18:59:60 EST", "loose"],
  ])("%s is a leap second and counts as the next one", (text, spelling) =>
    expect(readDate(text)).toEqual({ ms: MIDNIGHT, spelling }),
  );

  test("a fraction is cut after milliseconds, however long it is, also with a comma", () => {
    for (const mark of [".", ","]) {
      for (const [fraction, ms] of [
        ["9", 900],
        ["1239", 123],
        ["9".repeat(40), 999],
        ["0".repeat(40), 0],
      ] as const)
        expect(readDate(`2016-12-31T23:59:59${mark}${fraction}Z`)?.ms).toBe(MIDNIGHT - 1000 + ms);
    }
  });

  test("years are written with four digits or not at all", () => {
    expect(writeDate(Date.parse("0000-01-01T00:00:00Z"))).toBe("0000-01-01T00:00:00Z");
    expect(writeDate(Date.parse("9999-12-31T23:59:59.999Z"))).toBe("9999-12-31T23:59:59.999Z");
    for (const text of ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"]) {
      const ms = readDate(text)?.ms;
      expect(ms).toBeTypeOf("number");
      expect(writeDate(ms ?? 0)).toBeUndefined();
    }
    for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300]) expect(writeDate(ms)).toBeUndefined();
  });

  const anyDate = fc.date({
    min: new Date("0001-01-02T00:00:00Z"),
    max: new Date("9999-12-30T00:00:00Z"),
    noInvalidDate: true,
  });
  const anyOffset = fc.integer({ min: -1439, max: 1439 });
  const twoDigits = (value: number) => String(value).padStart(2, "0");

  test("a time means the same in every offset, in RFC 3339 and in e-mail", () => {
    fc.assert(
      fc.property(anyDate, anyOffset, (date, offset) => {
        const ms = date.getTime() - date.getUTCMilliseconds();
        const local = new Date(ms + offset * 60_000);
        const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map(twoDigits);
        const sign = offset < 0 ? "-" : "+";
        const iso = local.toISOString().slice(0, 19);
        expect(readDate(`${iso}${sign}${hours}:${minutes}`)).toEqual({ ms, spelling: "date" });
        expect(readDate(`${iso} ${sign}${hours}${minutes}`)).toEqual({ ms, spelling: "loose" });
        const mail = local.toUTCString().replace("GMT", `${sign}${hours}${minutes} (a comment)`);
        expect(readDate(mail)).toEqual({ ms, spelling: "loose" });
      }),
    );
  });

  test("days are those of the calendar, in RFC 3339 and in e-mail", () => {
    const [day, month, year] = [
      fc.integer({ min: 1, max: 31 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1000, max: 9999 }),
    ];
    fc.assert(
      fc.property(year, month, day, (y, m, d) => {
        const date = new Date(0);
        date.setUTCFullYear(y, m - 1, d);
        const ms = date.getUTCDate() === d ? date.getTime() : undefined;
        const name = new Date(Date.UTC(2000, m - 1)).toUTCString().slice(8, 11);
        expect(readDate(`${y}-${twoDigits(m)}-${twoDigits(d)}T00:00:00Z`)?.ms).toBe(ms);
        expect(readDate(`${d} ${name} ${y} 00:00:00 +0000`)?.ms).toBe(ms);
      }),
    );
  });

  test("any text is read or not, and what is read can be told from its faults", () => {
    const pieces = fc.constantFrom(..."0123456789-:TZ+,. ()".split(""), "Sep", "Mon", "GMT", "2026-09-14T08:30:00");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 12 }).map((some) => some.join("")),
        ),
        (text) => {
          const read = readDate(text);
          if (read) expect(Number.isSafeInteger(read.ms)).toBe(true);
          if (read?.spelling === "date") expect(dateFault(text)).toBeUndefined();
          if (read === undefined) expect(dateFault(text)).toBeDefined();
        },
      ),
    );
  });

  test.each(["America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"])(
    "the zone of the machine, %s, changes nothing",
    (zone) => {
      const before = process.env["TZ"];
      process.env["TZ"] = zone;
      try {
        expect(new Date(EIGHT).getHours()).not.toBe(8);
        for (const text of ["2026-09-14T08:30:00", "2026-09-14 08:30", "14 Sep 2026 08:30", "Mon Sep 14 08:30:00 2026"])
          expect(readDate(text)).toEqual({ ms: EIGHT, spelling: "no-offset" });
        expect(readDate("2026-09-14")?.ms).toBe(Date.UTC(2026, 8, 14));
      } finally {
        if (before === undefined) delete process.env["TZ"];
        else process.env["TZ"] = before;
      }
    },
  );

  test("a time is a date or a Unix time", () => {
    expect(readTime("2026-09-14T08:30:00Z")).toBe(EIGHT);
    expect(readTime(EIGHT)).toBe(EIGHT);
    expect(readTime(EIGHT / 1000)).toBe(EIGHT);
    for (const other of [Number.NaN, Number.POSITIVE_INFINITY, null, {}, "soon", true])
      expect(readTime(other)).toBeUndefined();
  });

  test("what is written is what the draft wants, and reads as the same time", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }),
        (date) => {
          const text = writeDate(date.getTime()) ?? "";
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
    ["2024-02-29T18:59:60-05:00", undefined],
    ["2024-03-01T05:29:60+05:30", undefined],
    ["2024-02-29T23:59:60+01:00", "unreal"],
    ["2026-09-14T08:29:60Z", "unreal"],
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
