import { expect, test } from "vitest";
import { parseVcon, withAnalysis, withAttachment, withExtension, withUpdatedAt } from "./index.ts";

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

test("an extension is named once, beside the others, and never in a list that is none", () => {
  const uuid = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
  const named = (members: object) => withExtension(parseVcon(JSON.stringify({ uuid, ...members })), "CC").extensions;
  expect(named({})).toEqual(["CC"]);
  expect(named({ extensions: ["x"] })).toEqual(["x", "CC"]);
  expect(named({ extensions: ["CC"] })).toEqual(["CC"]);
  for (const extensions of ["x", {}, 5]) expect(named({ extensions })).toEqual(extensions);
});
