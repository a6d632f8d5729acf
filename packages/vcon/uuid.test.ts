import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isUuid, newUuid, timeOfUuid, toUuid, uuidMaker } from "./index.ts";

const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";

describe("toUuid", () => {
  test.each([UUID, UUID.toUpperCase(), UUID.replaceAll("-", ""), `{${UUID}}`, `urn:uuid:${UUID.toUpperCase()}`])(
    "%s is understood",
    (text) => expect(toUuid(text)).toBe(UUID),
  );

  test.each([
    "",
    "SAMPLE-1234-abcd-5678",
    `${UUID} `,
    `{${UUID}`,
    UUID.slice(1),
    `${UUID}0`,
    `../${UUID}`,
    `${UUID}\n`,
    UUID.replace("a", "g"),
  ])("%j is no UUID", (text) => expect(toUuid(text)).toBeUndefined());

  test("what it returns is in the form the server writes", () => {
    fc.assert(
      fc.property(fc.uuid(), (text) => {
        expect(isUuid(toUuid(text.toUpperCase()) ?? "")).toBe(true);
      }),
    );
  });
});

describe("version 8", () => {
  const now = () => 1_789_374_600_862;

  test("ends in the top 62 bits of SHA-1 of the host name, as the draft's text has it", () => {
    expect(newUuid({ now, random: () => 0, host: "strolid.com" })).toMatch(/-8000-a776-374dc8835ce7$/);
    expect(newUuid({ now, random: () => 0.9999, host: "example.com" })).toMatch(/-8fff-832a-bc92ac6830cd$/);
  });

  test("carries the time", () => {
    expect(timeOfUuid(newUuid({ now, random: () => 0.5, host: "a.example" }))).toBe(now());
  });

  test("a maker never repeats itself, also beyond the 4096 of a millisecond and when the clock goes back", () => {
    let time = 1_789_374_600_862;
    const make = uuidMaker({ now: () => time, random: () => 0.999, host: "a.example" });
    const made = Array.from({ length: 20_000 }, (_, at) => {
      if (at === 15_000) time -= 3_600_000;
      return make();
    });
    expect(new Set(made).size).toBe(made.length);
    expect(made.every(isUuid)).toBe(true);
    expect([...made].sort()).toEqual(made);
  });

  test("is refused without a usable clock", () => {
    expect(() => newUuid({ now: () => Number.NaN, random: () => 0, host: "a.example" })).toThrow(/clock/);
  });
});
