import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseEntry } from "./parse-entry.ts";

const SCHEMA = z
  .strictObject({
    port: z.int().min(1).max(65_535).default(5432),
    ratio: z.number().optional(),
    read: z.boolean().default(true),
    key: z.string().min(1).optional(),
    note: z.string().default("none"),
    either: z.union([z.int(), z.enum(["auto"])]).optional(),
    inner: z.strictObject({ deep: z.int().optional() }).optional(),
    list: z.array(z.int()).optional(),
    needed: z.string().min(1).default("given"),
  })
  .refine(({ key, needed }) => key !== "x" || needed === "y", { path: ["key"], error: "x needs y" });

function parse(input: unknown) {
  const said: string[] = [];
  const report = (
    code: string,
    { path, message, remedy }: { path: readonly unknown[]; message: string; remedy: string },
  ) => void said.push(`${code} ${path.join(".")}: ${message}; ${remedy}`);
  const { entry } = parseEntry(SCHEMA, { input, place: (path) => path }, { report, from: new Map() });
  return { entry, said };
}

test("a number or truth value in quotes is one where the schema asks for it, at any depth", () => {
  const { entry, said } = parse({
    port: "5433",
    ratio: " 0.5 ",
    read: "False",
    either: "7",
    inner: { deep: "3" },
    list: ["1", 2],
    key: "42",
    note: "true",
  });
  expect(said).toEqual([]);
  expect(entry).toMatchObject({
    port: 5433,
    ratio: 0.5,
    read: false,
    either: 7,
    inner: { deep: 3 },
    list: [1, 2],
    key: "42",
    note: "true",
  });
});

// a text made of -0 has no sign
const NUMBER = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
);

test("any number in quotes is what it is without them, a bad one as well", () => {
  fc.assert(
    fc.property(NUMBER, (number) => {
      const [plain, quoted] = [
        parse({ port: number, ratio: number }),
        parse({ port: `${number}`, ratio: `${number}` }),
      ];
      expect(quoted.entry).toEqual(plain.entry);
      expect(quoted.said.length).toBe(plain.said.length);
    }),
  );
});

test("an option with nothing behind it is not set", () => {
  expect(parse({ port: null, ratio: null, read: "", key: "", either: null, inner: null, list: null })).toEqual({
    entry: { port: 5432, read: true, note: "none", needed: "given" },
    said: [],
  });
  // an empty text is a text where one may stand
  expect(parse({ note: "" }).entry).toMatchObject({ note: "" });
});

test("what is neither is told as it was written", () => {
  expect(parse({ port: "high", list: [null], ratio: "5 min" }).said).toEqual([
    "VCON_CONFIG_TYPE port: must be a number, not a text; write a number",
    "VCON_CONFIG_TYPE ratio: must be a number, not a text; write a number of seconds",
    "VCON_CONFIG_TYPE list.0: must be a number, not empty; write a number",
  ]);
  expect(parse({ port: "true", list: "5" }).said).toEqual([
    "VCON_CONFIG_TYPE port: must be a number, not a text; write a number",
    expect.stringContaining("list: must be a list, not a text"),
  ]);
  expect(parse({ port: "70000" }).said).toEqual(["VCON_CONFIG_RANGE port: must be <=65535; correct the value"]);
  expect(parse({ port: "1", key: "x" }).said).toEqual(["VCON_CONFIG_VALUE key: x needs y; correct the value"]);
});

test("whatever is written, parsing ends and says something or understands it", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(SCHEMA.shape)), fc.jsonValue()), (input) => {
      const { entry, said } = parse(input);
      expect(said.length > 0 || entry !== undefined).toBe(true);
    }),
  );
});
