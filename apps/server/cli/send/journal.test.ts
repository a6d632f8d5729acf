import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { openJournal, rangesOf } from "./journal.ts";

const folder = mkdtempSync(join(tmpdir(), "journal-"));
afterAll(() => rmSync(folder, { recursive: true }));

const source = { name: "a", path: "/vcons/a.ndjson", size: 10, fingerprint: "10-1" };
const record = (line: number, of = source) => ({ source: of, line, text: "{}", bytes: 3 });
const destination = { url: "http://127.0.0.1:8000", lists: ["in"] };

test("remembers over restarts what was added, and nothing else", async () => {
  const file = join(folder, "first");
  const journal = await openJournal(file, destination);
  await journal.add([1, 2, 3, 9].map((line) => record(line)));
  await journal.close();
  const again = await openJournal(file, destination);
  expect([1, 2, 3, 4, 9, 10].filter((line) => again.has(record(line)))).toEqual([1, 2, 3, 9]);
  expect(again.has(record(1, { ...source, fingerprint: "11-2" })), "a file that has changed is another one").toBe(
    false,
  );
  await again.close();
});

test("cut off anywhere, it forgets at most what was being written and can be written again", async () => {
  const file = join(folder, "cut");
  const whole = await openJournal(file, destination);
  await whole.add([record(1)]);
  const before = readFileSync(file).length;
  await whole.add([record(2)]);
  await whole.close();
  const text = readFileSync(file);
  for (let length = before; length < text.length; length += 1) {
    writeFileSync(file, text);
    truncateSync(file, length);
    const journal = await openJournal(file, destination);
    expect(journal.has(record(1))).toBe(true);
    await journal.add([record(3)]);
    await journal.close();
    const again = await openJournal(file, destination);
    expect([1, 3].every((line) => again.has(record(line)))).toBe(true);
    await again.close();
  }
});

test("refuses the journal of another destination, and files that are none", async () => {
  const file = join(folder, "other");
  await (await openJournal(file, destination)).close();
  await expect(openJournal(file, { ...destination, lists: [] })).rejects.toThrow(/another sending/);
  appendFileSync(file, "nonsense\n");
  await expect(openJournal(file, destination)).rejects.toThrow(/is not a state/);
});

test("ranges hold exactly the lines they were made of", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (lines) => {
      const ranges = rangesOf(lines);
      const back: number[] = [];
      for (let at = 0; at < ranges.length; at += 2) {
        for (let line = ranges[at] ?? 0; line <= (ranges[at + 1] ?? -1); line += 1) back.push(line);
      }
      expect(back).toEqual([...lines].sort((a, b) => a - b));
    }),
  );
});
