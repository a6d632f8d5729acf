import { expect, test } from "vitest";
import { findings } from "../index.ts";

const DOCUMENT = { uuid: "01a088b7-7e9e-8501-9c23-b79d96f1a1ba", created_at: "2026-09-14T08:30:00Z", parties: [{}] };

test("findings are limited, but those that refuse a document are kept", () => {
  const dialog = [...Array.from({ length: 2000 }, () => ({})), { parties: [99] }];
  const found = findings({ ...DOCUMENT, dialog }, { limit: 50 });
  expect(found).toHaveLength(51);
  expect(found.at(-1)).toMatchObject({ code: "index.party-range", fatal: true });
});

test("a broken MUST is told however many recommendations were not followed before it", () => {
  const analysis = Array.from({ length: 100 }, () => ({ type: "other", vendor: "v", body: "b", encoding: "none" }));
  const found = findings({ ...DOCUMENT, analysis: [...analysis, { ...analysis[0], dialog: 99 }] }, { limit: 50 });
  expect(found.map(({ level }) => level).filter((level) => level === "MUST")).toHaveLength(1);
  expect(found.at(-1)).toMatchObject({ code: "index.dialog-range", pointer: "/analysis/100/dialog", fatal: false });
});
