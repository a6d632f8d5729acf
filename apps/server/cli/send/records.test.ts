import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchesOf } from "./batches.ts";
import { recordsOf, sourcesOf, type VconRecord } from "./records.ts";

const folder = mkdtempSync(join(tmpdir(), "records-"));
const pathOf = (name: string) => join(folder, name);

beforeAll(() => {
  mkdirSync(join(folder, "archive", "deep"), { recursive: true });
  writeFileSync(pathOf("archive/b.json"), '\uFEFF{\r\n  "uuid": "b"\r\n}\r\n');
  writeFileSync(pathOf("archive/deep/a.vcon"), '{"uuid":"a"}');
  writeFileSync(pathOf("archive/c.ndjson"), '{"uuid":"c1"}\n\n{"uuid":"c2"}\r\n{"uuid":"c3"}');
  writeFileSync(pathOf("archive/notes.txt"), "not one of ours");
  writeFileSync(pathOf("lines.json"), '{"uuid":"l1"}\n{"uuid":"l2"}\n');
  writeFileSync(pathOf("broken.json"), '{"uuid": nonsense\n}');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(names: readonly string[], stdin = ""): Promise<VconRecord[]> {
  const chunks = (async function* () {
    yield Buffer.from(stdin);
  })();
  const records: VconRecord[] = [];
  for await (const record of recordsOf(await sourcesOf(names, pathOf), chunks)) records.push(record);
  return records;
}

const shown = (records: readonly VconRecord[]) =>
  records.map(({ source, line, text }) => `${source.name.replace(folder, "")}:${line} ${JSON.parse(text).uuid}`);

test("a folder gives all vCons in it in order, files of lines line by line with their numbers", async () => {
  expect(shown(await read(["archive"]))).toEqual([
    "/archive/b.json:1 b",
    "/archive/c.ndjson:1 c1",
    "/archive/c.ndjson:3 c2",
    "/archive/c.ndjson:4 c3",
    "/archive/deep/a.vcon:1 a",
  ]);
});

test("every record is one line, whatever the file looked like", async () => {
  for (const { text } of await read(["archive", "broken.json"])) expect(text).not.toMatch(/[\r\n\uFEFF]/);
});

test("standard input is one document or many lines", async () => {
  expect(shown(await read(["-"], '{\n"uuid":"s"\n}'))).toEqual(["-:1 s"]);
  expect(shown(await read(["-"], '{"uuid":"s1"}\n{"uuid":"s2"}\n'))).toEqual(["-:1 s1", "-:2 s2"]);
  expect(shown(await read(["lines.json"]))).toEqual(["lines.json:1 l1", "lines.json:2 l2"]);
});

test("a document that is not JSON goes to the server as one: the server says what is wrong", async () => {
  expect((await read(["broken.json"])).map(({ line }) => line)).toEqual([1]);
});

test("what cannot be read is named", async () => {
  await expect(sourcesOf(["nowhere"], pathOf)).rejects.toThrow(/nowhere cannot be read \(ENOENT\)/);
  mkdirSync(pathOf("empty"));
  await expect(sourcesOf(["empty"], pathOf)).rejects.toThrow(/empty holds no .json/);
});

test("batches keep to their limits, and a large record travels alone", async () => {
  const [source] = await sourcesOf(["-"], pathOf);
  const sizes = [10, 10, 10, 500, 10, 60, 60];
  const records = (async function* () {
    for (const [at, bytes] of sizes.entries()) if (source) yield { source, line: at + 1, text: "", bytes };
  })();
  const batches: number[][] = [];
  for await (const batch of batchesOf(records, { count: 2, bytes: 100 })) batches.push(batch.map(({ bytes }) => bytes));
  expect(batches).toEqual([[10, 10], [10], [500], [10, 60], [60]]);
});

test("a vCon that is not UTF-8 carries the place of its fault, and its neighbours do not", async () => {
  const lines = '{"uuid":"n1"}\n{"uuid":"n2","subject":"r\u00e9clamation"}\n{"uuid":"n3"}\n';
  writeFileSync(pathOf("latin1.ndjson"), Buffer.from(lines, "latin1"));
  writeFileSync(pathOf("latin1.json"), Buffer.from('{\n"subject": "r\u00e9clamation"\n}', "latin1"));
  const faults = (records: readonly VconRecord[]) => records.map(({ line, fault = "" }) => `${line} ${fault}`.trim());
  const second = "2 the file is not UTF-8 from here on (line 2, column 26); save it as UTF-8";
  expect(faults(await read(["latin1.ndjson"]))).toEqual(["1", second, "3"]);
  expect(faults(await read(["latin1.json"]))).toEqual([second.replace("2 the", "1 the").replace("26", "14")]);
});
