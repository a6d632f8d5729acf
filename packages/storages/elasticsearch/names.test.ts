import { brokenRule } from "@vcon-server/core/testing/servers/elasticsearch";
import fc from "fast-check";
import { expect, test } from "vitest";
import { INDEX, INDEX_PREFIX, indexName } from "./names.ts";

test.each([
  ["", "vcon_dialog", undefined, "vcon_dialog"],
  ["prod_", "vcon_parties", "agent", "prod_vcon_parties_agent"],
  ["", "vcon_analysis", "Call Summary", "vcon_analysis_call_summary"],
  ["", "vcon_analysis", "a/b*c?d:e,f#g", "vcon_analysis_a_b_c_d_e_f_g"],
  ["", "vcon_attachments", "Größe 客户", "vcon_attachments_größe_客户"],
])("%s + %s + %s is %s", (prefix, family, kind, name) => {
  expect(indexName(prefix, family, kind)).toBe(name);
});

const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme", minLength: 60 }), fc.string());

test("every name is legal, and longer ones are cut between two characters", () => {
  fc.assert(
    fc.property(fc.stringMatching(INDEX_PREFIX), anyText, (prefix, kind) => {
      const name = indexName(prefix, "vcon_analysis", kind);
      expect(brokenRule(name)).toBeUndefined();
      expect(name.isWellFormed()).toBe(true);
      expect(name.startsWith(`${prefix}vcon_analysis_`)).toBe(true);
      expect(Buffer.byteLength(indexName(prefix, "vcon_analysis", "ж".repeat(300)))).toBeGreaterThanOrEqual(254);
    }),
    { numRuns: 2_000 },
  );
});

test("the index of whole vCons has a legal name that no part can have", () => {
  const letters = fc.stringMatching(/^[a-z0-9][a-z0-9_.+-]{0,99}$/);
  const families = ["vcon_parties", "vcon_attachments", "vcon_analysis", "vcon_dialog"];
  fc.assert(
    fc.property(
      fc.oneof(
        letters,
        fc.constantFrom(...families),
        letters.map((tail) => `vcon_parties_${tail}`),
      ),
      (index) => {
        fc.pre(INDEX.test(index));
        expect(brokenRule(index)).toBeUndefined();
        expect(families.filter((family) => index === family || index.startsWith(`${family}_`))).toEqual([]);
      },
    ),
  );
  expect(["vcons", "vcon_index", "vcon_partiesx"].every((name) => INDEX.test(name))).toBe(true);
});
