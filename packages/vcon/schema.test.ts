import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { VconSchema } from "./index.ts";

test("every member of the schema says what it means, and none is marked as not to be sent", () => {
  const text = JSON.stringify(z.toJSONSchema(VconSchema, { io: "input" }));
  expect(text).not.toContain("readOnly");
  const silent: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const properties: unknown = Reflect.get(node, "properties");
    for (const [name, member] of Object.entries(
      typeof properties === "object" && properties !== null ? properties : {},
    )) {
      if (typeof member !== "object" || !("description" in member)) silent.push(`${path}/${name}`);
    }
    for (const [name, child] of Object.entries(node)) visit(child, `${path}/${name}`);
  };
  visit(JSON.parse(text), "");
  expect(silent).toEqual([]);
});

test("clean documents fit, unknown members included", () => {
  for (const name of ["ok_text_chat", "ok_recording_set_transfer", "ok_redacted", "ok_external_audio"]) {
    const document: unknown = JSON.parse(
      readFileSync(join(import.meta.dirname, "testdata/constructed", `${name}.vcon.json`), "utf8"),
    );
    expect(VconSchema.parse(document)).toEqual(document);
  }
});
