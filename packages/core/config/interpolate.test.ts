// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { interpolate, piecesOf } from "./interpolate.ts";
import { compileText, storage } from "./mistakes.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
  await writeFile(join(folder, "secret"), "s3cret\n");
});
afterAll(() => rm(folder, { recursive: true }));

const ENV = { NAME: "world", EMPTY: "", CONSERVER_API_TOKEN: "token" };

async function resolveText(text: string) {
  const codes: string[] = [];
  const references = { env: ENV, file: join(folder, "config.yml") };
  const { value, from } = await interpolate({ text }, references, (code) => codes.push(code));
  return { value: (value as { readonly text: unknown }).text, codes, hidden: from.get('["text"]')?.hidden };
}

describe("references are resolved", () => {
  test.each([
    ["hello ${NAME}!", "hello world!"],
    ["${NAME}${NAME}", "worldworld"],
    ["${MISSING:-fallback}", "fallback"],
    ["${EMPTY:-fallback}", "fallback"],
    ["${MISSING:-}", ""],
    ["${MISSING:-http://h:1/x}", "http://h:1/x"],
    ["${EMPTY}", ""],
    ["${file:secret}", "s3cret"],
    ["$${NAME}", "${NAME}"],
    ["$$${NAME}", "$world"],
    ["$$$${NAME}", "$${NAME}"],
  ])("%s → %s", async (text, value) => {
    expect(await resolveText(text)).toMatchObject({ value, codes: [] });
  });
});

test("dollars that begin no reference stay as they are", async () => {
  for (const text of ["pa$$word", "$NAME", "a$", "$(x)", "{NAME}", "$ {NAME}", ".x as $y | $y"]) {
    expect(await resolveText(text)).toMatchObject({ value: text, codes: [] });
  }
});

test("what comes from a file or a secret variable is not to be shown", async () => {
  expect((await resolveText("${NAME}")).hidden).toBe(false);
  expect((await resolveText("x${file:secret}")).hidden).toBe(true);
  expect((await resolveText("Bearer ${CONSERVER_API_TOKEN}")).hidden).toBe(true);
});

test("what cannot be resolved is named", async () => {
  expect((await resolveText("${MISSING}")).codes).toEqual(["VCON_CONFIG_VARIABLE"]);
  expect((await resolveText("${constructor}")).codes).toEqual(["VCON_CONFIG_VARIABLE"]);
  expect((await resolveText("${file:nowhere}")).codes).toEqual(["VCON_CONFIG_VARIABLE_FILE"]);
  for (const text of ["${}", "${", "${NAME", "${1X}", "${NAME-x}", "${file:}"]) {
    expect((await resolveText(text)).codes, text).toEqual(["VCON_CONFIG_VARIABLE_SYNTAX"]);
  }
});

test("a missing variable is found at its place, with the one that was meant", async () => {
  const { findings } = await compileText(storage("    module: postgres\n    options:\n      host: ${PGHOTS}"), {
    PGHOST: "h",
  });
  expect(findings).toMatchObject([
    { code: "VCON_CONFIG_VARIABLE", line: 7, col: 13, path: "storages.one.options.host" },
  ]);
  expect(findings[0]?.remedy).toContain("did you mean PGHOST?");
});

test("a missing variable is the only thing said about its place, whatever the option takes", async () => {
  const { findings } = await compileText(
    storage("    module: postgres\n    options:\n      url: ${PG_URL}\n      port: ${PG_PORT}"),
    {},
  );
  expect(findings.map(({ code, path }) => `${code} ${path}`)).toEqual([
    "VCON_CONFIG_VARIABLE storages.one.options.url",
    "VCON_CONFIG_VARIABLE storages.one.options.port",
  ]);
});

test("a variable is a number or truth value where the option asks for one, and a text elsewhere", async () => {
  const lines =
    "    module: postgres\n    read: ${READ}\n    timeout: ${SECS}\n    options: {port: '${PORT}', password: '${PASSWORD}'}";
  const { plan, findings } = await compileText(storage(lines), {
    PORT: "5433",
    PASSWORD: "123456",
    READ: "false",
    SECS: "1.5",
  });
  expect(findings).toEqual([]);
  expect(plan?.storages[0]).toMatchObject({ read: false, timeout: 1500, options: { port: 5433, password: "123456" } });
});

test("a variable of the wrong type is a mistake all the same", async () => {
  const { findings } = await compileText(storage("    module: postgres\n    options: {port: '${PORT}'}"), {
    PORT: "high",
  });
  expect(findings).toMatchObject([{ code: "VCON_CONFIG_TYPE", path: "storages.one.options.port" }]);
});

test("vCons and expectations under `tests` are left alone", async () => {
  const references = { env: {}, file: "config.yml" };
  const document = { tests: [{ name: "${MISSING}" }] };
  expect((await interpolate(document, references, () => expect.unreachable())).value).toEqual(document);
});

test("texts without `${` come through unchanged, and cutting loses nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "a", ":", "-") }), (text) => {
      const pieces = piecesOf(text);
      if (!text.includes("${"))
        expect(pieces.map((piece) => (piece.kind === "text" ? piece.text : "?")).join("")).toBe(text);
      const literal = pieces.map((piece) => (piece.kind === "text" ? piece.text : "")).join("");
      expect(literal.length).toBeLessThanOrEqual(text.length);
    }),
  );
});

test("a file that holds a secret may begin with a byte order mark, and must be UTF-8", async () => {
  const folder = await mkdtemp(join(tmpdir(), "secrets-"));
  await writeFile(join(folder, "marked"), "\uFEFFhunter2\r\n");
  await writeFile(join(folder, "latin1"), Buffer.from("first\nsch\u00fcssel", "latin1"));
  const lines = (name: string) =>
    storage(`    module: postgres\n    options: {password: "\${file:${join(folder, name)}}"}`);
  const { plan } = await compileText(lines("marked"));
  expect(plan?.storages[0]?.options).toMatchObject({ password: "hunter2" });
  const { findings } = await compileText(lines("latin1"));
  await rm(folder, { recursive: true });
  expect(findings).toMatchObject([{ code: "VCON_CONFIG_VARIABLE_FILE", path: "storages.one.options.password" }]);
  expect(findings[0]?.message).toMatch(/latin1 is not UTF-8 \(line 2\)$/);
});
