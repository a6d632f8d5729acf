import { describe, expect, test } from "vitest";
import { migrate } from "./index.ts";

const HEX = "a".repeat(128);
const DIGEST = Buffer.from(HEX, "hex").toString("base64url");
const codes = (vcon: object) => migrate({ ...vcon }).steps.map(({ code, pointer }) => `${code} ${pointer}`);

describe("each repair is made and told", () => {
  test.each([
    [
      "a date in the style of e-mail",
      { dialog: [{ start: "Wed, 18 May 2022 23:05:05 -0000" }] },
      { dialog: [{ start: "2022-05-18T23:05:05Z" }] },
      ["migration.date /dialog/0/start"],
    ],
    [
      "a date without offset",
      { created_at: "2024-03-16T16:09:20.701906" },
      { created_at: "2024-03-16T16:09:20.701Z" },
      ["migration.date /created_at"],
    ],
    [
      "a date of the year 10000 in UTC, which cannot be written, and a leap second, which is one",
      { created_at: "9999-12-31 23:59:59-01:00", updated_at: "2016-12-31T23:59:60Z" },
      { created_at: "9999-12-31 23:59:59-01:00", updated_at: "2016-12-31T23:59:60Z" },
      [],
    ],
    [
      "a zero fraction",
      { attachments: [{ start: "2024-03-16T16:09:20.000+01:00" }] },
      { attachments: [{ start: "2024-03-16T15:09:20Z" }] },
      ["migration.date /attachments/0/start"],
    ],
    [
      "the time of an event",
      { dialog: [{ party_history: [{ time: "2024-03-16T16:09:20" }, 5] }] },
      { dialog: [{ party_history: [{ time: "2024-03-16T16:09:20Z" }, 5] }] },
      ["migration.date /dialog/0/party_history/0/time"],
    ],
    [
      "a hash in hex",
      { dialog: [{ alg: "SHA-512", signature: HEX, url: "https://a.example" }] },
      { dialog: [{ url: "https://a.example", content_hash: `sha512-${DIGEST}` }] },
      ["migration.hash /dialog/0/content_hash"],
    ],
    [
      "a padded hash",
      { analysis: [{ alg: "SHA-512", signature: `${DIGEST}==` }] },
      { analysis: [{ content_hash: `sha512-${DIGEST}` }] },
      ["migration.hash /analysis/0/content_hash"],
    ],
    [
      "an object under none",
      { analysis: [{ body: { a: 1 }, encoding: "none" }] },
      { analysis: [{ body: { a: 1 }, encoding: "json" }] },
      ["migration.encoding /analysis/0/encoding"],
    ],
    [
      "a missing encoding of audio",
      { dialog: [{ body: "UklG", mimetype: "audio/x-wav" }] },
      { dialog: [{ body: "UklG", mediatype: "audio/x-wav", encoding: "base64url" }] },
      ["migration.encoding /dialog/0/encoding"],
    ],
    [
      "a missing encoding of text",
      { dialog: [{ body: "UklG" }] },
      { dialog: [{ body: "UklG", encoding: "none" }] },
      ["migration.encoding /dialog/0/encoding"],
    ],
    [
      "a type that is no type",
      { dialog: [{ type: "video" }] },
      { dialog: [{ type: "recording" }] },
      ["migration.dialog-type /dialog/0/type"],
    ],
    [
      "an address called email",
      { parties: [{ email: "a@b.example" }] },
      { parties: [{ mailto: "a@b.example" }] },
      ["migration.mailto /parties/0/mailto"],
    ],
    [
      "a role",
      { parties: [{ role: "agent" }], extensions: ["x"] },
      { parties: [{ role: "agent" }], extensions: ["x", "CC"] },
      ["migration.extension /extensions"],
    ],
    [
      "half a session id",
      { dialog: [{ session_id: "ab30" }] },
      { dialog: [{ legacy_session_id: "ab30" }] },
      ["migration.session-id /dialog/0/session_id"],
    ],
    ["an empty reference", { amended: {}, group: null }, {}, ["migration.empty /amended", "migration.empty /group"]],
    [
      "a list of one target",
      { dialog: [{ type: "transfer", original: [0], transfer_target: [2] }] },
      { dialog: [{ type: "transfer", original: 0, transfer_target: 2 }] },
      ["migration.transfer /dialog/0"],
    ],
    [
      "a list of targets",
      { dialog: [{ type: "transfer", original: [0], transfer_target: [2, 3] }, { type: "text" }] },
      {
        dialog: [
          { type: "transfer", original: 0, transfer_target: 2 },
          { type: "text" },
          { type: "transfer", original: 0, transfer_target: 3 },
        ],
      },
      ["migration.transfer /dialog/0"],
    ],
    [
      "a list of lists, which is left: migrated, it would be a list again",
      { dialog: [{ type: "transfer", original: [[0]] }] },
      { dialog: [{ type: "transfer", original: [[0]] }] },
      [],
    ],
  ])("%s", (_, before, after, steps) => {
    expect(migrate(before).vcon).toEqual(after);
    expect(codes(before)).toEqual(steps);
  });
});

describe("what cannot be repaired stays", () => {
  test.each([
    [{ dialog: [{ start: "NOT-A-DATE" }] }],
    [{ dialog: [{ alg: "sha256", signature: "abc" }] }],
    [{ parties: [{ email: "a@b.example", mailto: "c@d.example" }] }],
    [{ analysis: [{ body: "{}", encoding: "json" }] }],
    [{ sessions: [{ start: "2024-03-16T16:09:20" }], unknown: null }],
  ])("%j", (vcon) => {
    expect(migrate(vcon)).toEqual({ vcon, steps: [] });
  });

  test("a signature that is no digest, but it is told", () => {
    const vcon = { dialog: [{ alg: "SHA-512", signature: "abc123", url: "s3://a/b" }] };
    expect(migrate(vcon).vcon).toEqual(vcon);
    expect(codes(vcon)).toEqual(["migration.hash /dialog/0/signature"]);
  });
});
