import { expect, test } from "vitest";
import { parseVcon, withAnalysis, withAttachment, withUpdatedAt } from "./index.ts";

test("builders append, share what they do not change, and mutate nothing", () => {
  const before = parseVcon(
    '{"uuid":"01a088b7-7e9e-8501-9c23-b79d96f1a1ba","parties":[{}],"analysis":[{"type":"a"}],"x":1}',
  );
  Object.freeze(before);
  Object.freeze(before.analysis);
  const after = withUpdatedAt(
    withAttachment(withAnalysis(before, { type: "b" }), { purpose: "c" }),
    "2026-09-14T08:30:00Z",
  );
  expect(after).toEqual({
    ...before,
    analysis: [{ type: "a" }, { type: "b" }],
    attachments: [{ purpose: "c" }],
    updated_at: "2026-09-14T08:30:00Z",
  });
  expect(after.parties).toBe(before.parties);
  expect(after.analysis?.[0]).toBe(before.analysis?.[0]);
});
