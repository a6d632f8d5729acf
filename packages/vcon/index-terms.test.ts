import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { indexOf, MAX_TERMS, parseVcon, type Vcon } from "./index.ts";

const vcon = (members: object): Vcon =>
  parseVcon(JSON.stringify({ uuid: "01a088b7-7e9e-8501-9c23-b79d96f1a1ba", ...members }));

describe("terms", () => {
  test("are as many as a backend can write in a moment, the first ones", () => {
    const parties = Array.from({ length: 50_000 }, (_, at) => ({ tel: `+1555${at}` }));
    const { terms } = indexOf(vcon({ parties }));
    expect([terms.length, terms[0], terms.at(-1)]).toEqual([MAX_TERMS, "tel:+15550", "tel:+15559999"]);
  });

  test("are the values as written, and without their prefix, each once", () => {
    const parties = [
      { tel: "+12025550143", mailto: "a@b.example", name: "Nadia Okafor" },
      { tel: "tel:+12025550143", mailto: "MAILTO:c@d.example", name: "tel:no" },
      { tel: "", name: null, mailto: 5 },
      {},
      null,
      { tel: "tel:" },
    ];
    expect(indexOf(vcon({ parties })).terms).toEqual([
      "tel:+12025550143",
      "mailto:a@b.example",
      "name:Nadia Okafor",
      "tel:tel:+12025550143",
      "mailto:MAILTO:c@d.example",
      "mailto:c@d.example",
      "name:tel:no",
      "tel:tel:",
    ]);
  });

  test("of a signed vCon are those of its payload, of an encrypted one there are none", () => {
    const read = (name: string) => parseVcon(readFileSync(join(import.meta.dirname, "testdata/constructed", name)));
    const signed = indexOf(read("signed_rfc7515_style.vcon.json"));
    expect(signed.terms.length).toBeGreaterThan(0);
    expect(signed.createdAt).toBeGreaterThan(0);
    expect(indexOf(read("encrypted_draft_style.vcon.json"))).toEqual({ createdAt: 0, terms: [] });
  });
});

test.each([
  ["2026-09-14T08:30:00.9Z", 1_789_374_600],
  ["2026-09-14T10:30:00+02:00", 1_789_374_600],
  ["2026-09-14T08:30:00", 1_789_374_600],
  ["Mon, 14 Sep 2026 08:30:00 +0000", 1_789_374_600],
  [1_789_374_600.5, 1_789_374_600],
  ["1969-12-31T23:59:59.5Z", -1],
  ["", 0],
  ["NOT-A-DATE", 0],
  [null, 0],
  [undefined, 0],
  [{}, 0],
])("created_at %j is the second %i", (created_at, seconds) => {
  expect(indexOf(vcon({ created_at, parties: [] })).createdAt).toBe(seconds);
});
