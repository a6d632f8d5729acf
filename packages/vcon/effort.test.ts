import { describe, expect, test } from "vitest";
import { findings, mergeVcons, readVcon, tagsOf, transcriptIn, type Vcon, withTags } from "./index.ts";
import { asVcon } from "./stored.ts";

const UUID = "0198a3e0-7d7a-8c3e-9f00-000000000001";
const MANY = 200_000;

/** A vCon with these members, as it may be stored. */
function vcon(members: object): Vcon {
  const made = asVcon({ vcon: "0.4.0", uuid: UUID, created_at: "2026-01-02T03:04:05Z", parties: [], ...members });
  if (made === undefined) throw new Error("not a vCon");
  return made;
}

const many = <T>(make: (at: number) => T, count = MANY): T[] => Array.from({ length: count }, (_, at) => make(at));

/** Comparing each with each would take minutes to hours: these tests then run into their time limit. */
describe("the effort grows with the size of a document, not with its square", () => {
  test("names of extensions and critical ones", () => {
    const names = many((at) => `extension-${at}`);
    expect(findings(vcon({ extensions: names, critical: names.toReversed() })).length).toBeGreaterThan(0);
  });

  test("recordings that point at their set", () => {
    const dialog = [
      { type: "recording-set", recordings: many((at) => MANY - at) },
      ...many(() => ({ type: "recording", start: "2026-01-02T03:04:05Z", parties: [], recording_set: 0 })),
    ];
    const codes = findings(vcon({ dialog })).map(({ code }) => code);
    expect(codes).not.toContain("index.recording-set-mutual");
  });

  test("a set that does not list a recording is found all the same", () => {
    const dialog = [
      { type: "recording-set", recordings: [1] },
      ...[0, 1].map(() => ({ type: "recording", start: "2026-01-02T03:04:05Z", parties: [], recording_set: 0 })),
    ];
    expect(findings(vcon({ dialog })).filter(({ code }) => code === "index.recording-set-mutual")).toMatchObject([
      { pointer: "/dialog/2/recording_set" },
    ]);
  });

  test("names in the headers of a signature", () => {
    const names = many((at) => `name-${at}`);
    const header = Object.fromEntries(names.map((name) => [name, 1]));
    const protectedHeader = btoa(JSON.stringify(header)).replaceAll("=", "");
    const payload = btoa(JSON.stringify({ vcon: "0.4.0", uuid: UUID })).replaceAll("=", "");
    const signed = asVcon({ payload, signatures: [{ protected: protectedHeader, header, signature: "a" }] });
    expect(signed && findings(signed).length).toBeGreaterThan(0);
  });

  test("values of one tag", () => {
    const tagged = vcon({ attachments: [{ purpose: "tags", encoding: "json", body: many((at) => `queue:${at}`) }] });
    expect(tagsOf(tagged).get("queue")).toHaveLength(MANY);
    const more = withTags(
      tagged,
      many((at) => ({ name: "queue", value: `${at + 1}` })),
    );
    expect(tagsOf(more).get("queue")).toHaveLength(MANY + 1);
  });

  test("several values of a tag in an object of tags", () => {
    const tagged = vcon({ attachments: [{ purpose: "tags", encoding: "json", body: { queue: "first" } }] });
    const more = withTags(
      tagged,
      many((at) => ({ name: "queue", value: `${at}` })),
    );
    expect(tagsOf(more).get("queue")?.slice(0, 2)).toEqual(["first", "0"]);
  });

  test("parties, tags and lists that two edits added to", () => {
    const base = vcon({ attachments: [{ purpose: "tags", encoding: "json", body: ["a:b"] }], x_list: [0] });
    const some = <T>(make: (at: number) => T): T[] => many(make, 100_000);
    const edit = (from: number): Vcon =>
      vcon({
        parties: some((at) => ({ name: `party ${from + at}`, tel: `+1555${from + at}` })),
        attachments: [{ purpose: "tags", encoding: "json", body: ["a:b", ...some((at) => `n:${from + at}`)] }],
        x_list: [0, ...some((at) => from + at)],
      });
    const { vcon: merged } = mergeVcons({ base, mine: edit(50_000), theirs: edit(0) });
    expect(merged.parties).toHaveLength(150_000);
    expect(tagsOf(merged).get("n")).toHaveLength(150_000);
    expect(merged).toMatchObject({ x_list: { length: 1 + 150_000 } });
  });

  test("texts that nearly are numbers, voice tags or times of cues", () => {
    const digits = `${"1".repeat(MANY)}x`;
    const dialog = [{ type: "recording", start: "2026-01-02T03:04:05Z", duration: digits, parties: [digits] }];
    expect(readVcon(JSON.stringify(vcon({ dialog })))).toMatchObject({ ok: false });
    const texts = [
      `<v${".a".repeat(MANY)}`,
      "<v.".repeat(MANY),
      `<v ${" ".repeat(MANY)}`,
      `${" ".repeat(MANY)}no time`,
    ];
    for (const text of texts) expect(transcriptIn(text)).toMatchObject({ segments: [{ text: text.trim() }] });
  });

  test("a list of transfer targets is not multiplied beyond measure", () => {
    const read = (targets: number, note: string) =>
      readVcon(
        JSON.stringify(
          vcon({
            vcon: "0.0.1",
            parties: [{ tel: "+15551230001" }],
            dialog: [{ type: "transfer", transfer_target: many(() => 0, targets), note }],
          }),
        ),
        { profile: "legacy" },
      );
    expect(read(3, "short")).toMatchObject({ ok: true, vcon: { dialog: { length: 3 } } });
    expect(read(MANY, "short")).toMatchObject({ ok: true, vcon: { dialog: { length: 1 } } });
    expect(read(1000, "long".repeat(100_000))).toMatchObject({ ok: true, vcon: { dialog: { length: 1 } } });
  });
});
