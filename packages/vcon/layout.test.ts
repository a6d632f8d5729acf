import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !/\.test(?:-d)?\.ts$/.test(name) && !name.includes("node_modules"),
);

test(`the package runs in a browser: none of its ${files.length} files needs Node`, () => {
  expect(files.length).toBeGreaterThan(30);
  const needing = files.filter((name) =>
    /from "node:|\bprocess\.|\bBuffer\b|\brequire\(/.test(readFileSync(join(import.meta.dirname, name), "utf8")),
  );
  expect(needing).toEqual([]);
});
