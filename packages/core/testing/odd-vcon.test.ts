import { findings, indexOf } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { seededRandom } from "./clocks.ts";
import { oddVcon } from "./odd-vcon.ts";

test("every one is taken in, most of them with broken rules of many kinds", () => {
  const random = seededRandom();
  const codes = new Set<string>();
  for (let count = 0; count < 300; count++) {
    const vcon = oddVcon(random);
    for (const { code, fatal } of findings(vcon)) {
      expect(fatal).toBe(false);
      codes.add(code);
    }
    indexOf(vcon);
  }
  expect(codes.size).toBeGreaterThan(60);
  expect([...codes]).toEqual(expect.arrayContaining(["type.uint", "index.party-range", "index.dialog-range"]));
});
