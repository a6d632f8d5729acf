import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findings, parseJson, readVcon, serialize, toUuid, upgrade, type VconUuid } from "./index.ts";
import { isObject, type JsonObject } from "./shape.ts";

/** Documents of the project's own, and of other projects where they lie: what is wrong with each stands beside them. */
interface Fixture {
  readonly file: string;
  readonly form: string;
  readonly must: readonly string[];
  /** Findings of lower levels; unknown for documents of other projects. */
  readonly other: readonly string[] | undefined;
}

interface ManifestEntry {
  readonly file: string;
  readonly form: string;
  readonly must_errors: readonly string[];
  readonly other_findings: readonly string[];
}

const OWN = join(import.meta.dirname, "testdata/constructed");
const SHARED = join(import.meta.dirname, "../../../shared/fixtures");
const rule = (text: string): string => /R\d+/.exec(text)?.[0] ?? text;

function ownFixtures(): Fixture[] {
  const manifest: readonly ManifestEntry[] = JSON.parse(readFileSync(join(OWN, "manifest.json"), "utf8"));
  return manifest.map(({ file, form, must_errors, other_findings }) => ({
    file: join(OWN, file),
    form,
    must: must_errors.map(rule),
    other: other_findings.map(rule),
  }));
}

/** Rows of the table in the README of the shared fixtures: file, form and the rules it breaks. */
function sharedFixtures(): Fixture[] {
  if (!existsSync(SHARED)) return [];
  const rows = readFileSync(join(SHARED, "README.md"), "utf8")
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.flatMap(([, name = "", , , , form = "", rules = ""]) => {
    const file = join(SHARED, name.replaceAll("`", ""));
    return /^`[\w.-]+\.(?:json|vcon)`$/.test(name) && existsSync(file)
      ? [{ file, form, must: rules.match(/R\d+/g) ?? [], other: undefined }]
      : [];
  });
}

/** Why a document of the set is refused by the tolerant profile, by part of its name. */
const REFUSED: readonly (readonly [string, readonly string[]])[] = [
  ["draft03_no_uuid", ["vcon.uuid-missing"]],
  ["pyvcon_pre_0.0.1", ["vcon.uuid-missing"]],
  ["mcp_siprec", ["vcon.uuid-missing"]],
  ["mcp_teams", ["vcon.uuid-missing"]],
  ["mcp_sample_bad_uuid", ["vcon.uuid-syntax"]],
  ["invalid_bad_party_ref", ["index.party-range"]],
  ["invalid_bad_duration", ["dialog.duration"]],
  ["invalid_null_parties", ["dialog.duration", "dialog.mimetype", "index.party-range"]],
  ["bad_index_party-range", ["index.party-range"]],
];

const GIVEN = toUuid("01a088b7-7e9e-8501-9c23-b79d96f1a1bb");
const giveUuid = (): VconUuid => {
  if (!GIVEN) throw new Error("the uuid of this test is one");
  return GIVEN;
};

const objectIn = (file: string): JsonObject => {
  const parsed = parseJson(readFileSync(file));
  if (!parsed.ok || !isObject(parsed.value)) throw new Error(`${file} is no JSON object`);
  return parsed.value;
};

const own = ownFixtures();
const shared = sharedFixtures();

test(`the shared fixtures are read where they lie: ${shared.length} of them, besides ${own.length} of the project's own`, () => {
  expect(own).toHaveLength(readdirSync(OWN).filter((name) => name.endsWith(".vcon.json")).length);
  const present = existsSync(SHARED) ? readdirSync(SHARED).filter((name) => /\.(?:json|vcon)$/.test(name)).length : 0;
  expect(shared).toHaveLength(present);
  expect(existsSync(SHARED) ? present : 1).toBeGreaterThan(0);
});

describe.each([...own, ...shared].map((fixture) => ({ ...fixture, name: fixture.file.split("/").at(-1) ?? "" })))(
  "$name",
  ({ file, name, form, must, other }) => {
    const bytes = readFileSync(file);

    test("breaks exactly the rules its table says", () => {
      const found = findings(objectIn(file));
      const rules = (wanted: boolean) =>
        [
          ...new Set(found.filter(({ level }) => (level === "MUST") === wanted).map((finding) => `R${finding.rule}`)),
        ].sort();
      expect(rules(true)).toEqual([...must].sort());
      if (other) expect(rules(false)).toEqual([...other].sort());
    });

    test("loads, or is refused for the reason its table names", () => {
      const result = readVcon(bytes);
      const reasons = REFUSED.find(([part]) => name.includes(part))?.[1] ?? [];
      expect(result.ok ? [] : [...new Set(result.errors.map(({ code }) => code))].sort()).toEqual(reasons);
      expect(result.ok && result.form).toBe(reasons.length === 0 && form);
    });

    test("loads with a uuid given, unless it is wrong in other ways", () => {
      const result = readVcon(bytes, { giveUuid });
      const wrong = name.includes("invalid") || name.includes("party-range");
      expect(result.ok).toBe(!wrong);
      const missing = REFUSED.some(([part, [code]]) => name.includes(part) && code?.startsWith("vcon.uuid"));
      if (result.ok && result.given) expect(result.vcon.uuid).toBe(GIVEN);
      expect(result.ok && result.given).toBe(!wrong && missing);
    });

    test("strict refuses it exactly when it breaks a MUST", () => {
      const strict = readVcon(bytes, { profile: "strict" });
      expect(strict.ok).toBe(must.length === 0);
    });

    test("survives reading, writing and reading again, with every member nobody knows", () => {
      const first = readVcon(bytes, { giveUuid });
      if (!first.ok) return;
      const text = serialize(first.vcon);
      const second = readVcon(text);
      expect(second.ok && serialize(second.vcon)).toBe(text);
      if (form !== "unsigned") expect(JSON.parse(text)).toEqual(JSON.parse(bytes.toString()));
      else
        expect({ ...JSON.parse(text), uuid: "" }).toEqual({
          ...JSON.parse(JSON.stringify(upgrade(objectIn(file)))),
          uuid: "",
        });
    });

    test("legacy repairs what is said to be repairable, and reads its own result without a step", () => {
      const result = readVcon(bytes, { profile: "legacy", giveUuid });
      if (!result.ok) return;
      const left = result.findings.filter(({ fixable, level }) => fixable && level === "MUST");
      expect(left.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([]);
      const again = readVcon(serialize(result.vcon), { profile: "legacy" });
      expect(again.findings.filter(({ code }) => code.startsWith("migration."))).toEqual([]);
      expect(again.ok && serialize(again.vcon)).toBe(serialize(result.vcon));
    });
  },
);
