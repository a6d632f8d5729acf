import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE } from "@vcon-server/core";
import { FINDINGS, factsOf, VARIABLES } from "@vcon-server/core/config";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ROOT } from "./plugin-folders.ts";
import { BEGIN, END, optionsTable, withSection } from "./readme.ts";
import { configurationPage, errorsPage, settingsPage } from "./reference.ts";

const doc = (name: string) => readFileSync(join(ROOT, "docs", name), "utf8");

describe("docs/errors.md", () => {
  const codes = [...doc("errors.md").matchAll(/^\| `(VCON_[A-Z_]+)` \|/gm)].map((match) => match[1]);

  test("lists every code there is, and no other, once", () => {
    expect(codes.toSorted()).toEqual([...Object.keys(CATALOGUE), ...Object.keys(FINDINGS)].toSorted());
  });

  test("every code is `VCON_<AREA>_<WHAT>` or `VCON_<WHAT>`, and says what went wrong in a sentence", () => {
    const titles = { ...CATALOGUE, ...FINDINGS };
    for (const [code, { title }] of Object.entries(titles)) {
      expect(code).toMatch(/^VCON(_[A-Z]+){1,4}$/);
      expect(title, code).toMatch(/^[A-Z`].*\.$/);
    }
  });
});

test("the reference is fresh", () => {
  const pages = {
    "errors.md": errorsPage(),
    "reference/settings.md": settingsPage(),
    "reference/configuration.md": configurationPage(),
  };
  for (const [name, page] of Object.entries(pages)) expect(doc(name), `${name}: run \`npm run gen\``).toBe(page);
});

test("every setting is in the reference", () => {
  for (const name of Object.keys(VARIABLES)) expect(doc("reference/settings.md")).toContain(`| \`${name}\` |`);
});

test("the schema for editors is JSON Schema that knows every section", () => {
  const schema: unknown = JSON.parse(doc("reference/config.schema.json"));
  expect(schema).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" });
  expect(schema).toHaveProperty("properties.chains");
});

describe("tables of options", () => {
  const schema = z.strictObject({
    key: z.string().meta({ secret: true }).describe("A | b."),
    many: z
      .array(z.enum(["x", "y"]))
      .default(["x"])
      .describe("Some."),
    by_name: z.record(z.string(), z.number()).optional().describe("Map."),
    limits: z
      .strictObject({ per_hour: z.int().describe("Most.") })
      .optional()
      .describe("Limits."),
    either: z
      .union([z.string(), z.literal(0)])
      .optional()
      .describe("One."),
  });

  test("name types, defaults, secrets and members in words", () => {
    expect(optionsTable({ name: "x", summary: "", options: schema }).slice(2)).toEqual([
      "| `key` | secret | **required** | A \\| b. |",
      '| `many` | list of ("x" or "y") | `["x"]` | Some. |',
      "| `by_name` | map of number |  | Map. |",
      "| `limits` | map |  | Limits. |",
      "| `limits.per_hour` | integer | **required** | Most. |",
      "| `either` | string or 0 |  | One. |",
    ]);
  });

  test("refuse an option without description", () => {
    expect(() => optionsTable({ name: "x", summary: "", options: z.strictObject({ a: z.string() }) })).toThrow(
      /x: option "a"/,
    );
  });

  test("go between the markers and leave the prose alone", () => {
    const section = `${BEGIN}\nnew\n${END}`;
    expect(withSection(`before\n${BEGIN}\nold\n${END}\nafter`, section)).toBe(`before\n${section}\nafter`);
    expect(withSection("prose", section)).toBe(`${section}\n\nprose`);
    expect(withSection(undefined, section)).toBe(`${section}\n`);
    expect(factsOf(z.strictObject({}))).toMatchObject({ type: "object" });
  });
});
