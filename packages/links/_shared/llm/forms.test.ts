import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { checkOf, fitting, formOf, isClosed, jsonForm, responseFormat, schemaFormat, schemaOption } from "./forms.ts";

const closed = {
  type: "object",
  properties: { mood: { enum: ["good", "bad"] }, score: { type: "integer", minimum: 0, maximum: 10 } },
  required: ["mood", "score"],
  additionalProperties: false,
};
const form = jsonForm({ type: "json_object" }, checkOf(closed));

test("JSON that fits is read, also from a fence", () => {
  const value = { mood: "good", score: 3 };
  for (const text of [
    JSON.stringify(value),
    `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``,
    ` \`\`\`\n{"mood":"good","score":3}\n\`\`\` `,
  ])
    expect(form.read(text)).toEqual({ value: { fit: value, json: value } });
});

test.each([
  ["no JSON", "The mood is good.", "it is no JSON"],
  ["a half", '{"mood": "go', "it is no JSON"],
  ["a list", "[]", "expected object"],
  ["null", "null", "expected object"],
  ["a word", '"good"', "expected object"],
  ["a value it does not have", '{"mood": "confidential", "score": 3}', "at mood: "],
  ["a missing member", '{"mood": "good"}', "at score: "],
  ["a number out of bounds", '{"mood": "good", "score": 11}', "at score: "],
  ["a member nobody asked for", '{"mood": "good", "score": 1, "secret_plan": 1}', "members nobody asked for"],
  ["a prototype", '{"mood": "good", "score": 1, "__proto__": {"x": 1}}', ""],
])("%s does not fit, and the reason repeats nothing of it", (_, text, reason) => {
  const read = form.read(text);
  expect(read).toMatchObject({ unfit: expect.stringContaining(reason) });
  expect(JSON.stringify(read)).not.toMatch(/confidential|secret_plan/);
});

test("the one object that fits is found between others, and two different ones are no answer", () => {
  const [good, bad] = ['{"mood":"good","score":3}', '{"mood":"bad","score":1}'];
  const value = { mood: "good", score: 3 };
  expect(form.read(`The form is {"mood": …}. So: ${good}, {"note": 1}`)).toEqual({
    value: { fit: value, json: value },
  });
  expect(form.read(`${good} or again ${good}`)).toEqual({ value: { fit: value, json: value } });
  expect(form.read(`${good} or ${bad}`)).toEqual({ unfit: "it holds several JSON values" });
});

test("numbers stay as they were written", () => {
  const open = jsonForm({ type: "json_object" }, fitting(z.looseObject({})));
  const read = open.read('{"id": 12345678901234567890}');
  expect(JSON.stringify("value" in read && read.value.json)).toBe('{"id":12345678901234567890}');
});

test("text that databases cannot hold is no JSON", () => {
  expect(form.read('{"mood": "\\u0000", "score": 1}')).toEqual({ unfit: "it is no JSON" });
});

test("whatever the answer is, it fits or there is a reason", () => {
  const read = (text: string) => form.read(text);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void read(text)));
});

test("strict is asked for where the schema leaves nothing open, and as the options say", () => {
  expect(schemaFormat(closed, "mood of call")).toEqual({
    type: "json_schema",
    json_schema: { name: "mood_of_call", schema: closed, strict: true },
  });
  const { additionalProperties: _, ...open } = closed;
  expect(schemaFormat(open, "m")).toMatchObject({ json_schema: { strict: false } });
  expect(schemaFormat(closed, "m", false)).toMatchObject({ json_schema: { strict: false } });
  expect(
    isClosed({
      type: "object",
      properties: { inner: { type: "object" } },
      required: ["inner"],
      additionalProperties: false,
    }),
  ).toBe(false);
  expect(isClosed({ ...closed, required: ["mood"] })).toBe(false);
  expect(isClosed({ type: "array", items: closed })).toBe(true);
});

test.each([
  [{ type: "array" }, "must describe an object"],
  [{ type: "object", properties: { a: { $ref: "https://example.com/a.json" } } }, "cannot be used to check answers"],
  [{ type: "object", if: { required: ["a"] } }, "cannot be used to check answers"],
])("the schema %o is refused", (schema, message) => {
  expect(() => schemaOption().parse(schema)).toThrow(message);
});

test("an answer must fit the schema of the options and what the link needs", () => {
  const format = responseFormat().parse({ type: "json_schema", json_schema: { name: "mood", schema: closed } });
  const { read, wire } = formOf(format, z.looseObject({ score: z.number().min(5) }));
  expect(wire).toMatchObject({ type: "json_schema", json_schema: { name: "mood", strict: true } });
  expect(read('{"mood": "good", "score": 7}')).toMatchObject({ value: { fit: { score: 7 } } });
  expect(read('{"mood": "good", "score": 3}')).toMatchObject({ unfit: expect.stringContaining("at score") });
  expect(read('{"mood": "none", "score": 7}')).toMatchObject({ unfit: expect.stringContaining("at mood") });
  expect(formOf(responseFormat().parse(undefined), z.looseObject({})).wire).toEqual({ type: "json_object" });
});

test.each([
  [{ type: "xml" }, "type"],
  [{ type: "json_object", strict: true }, "strict"],
  [{ type: "json_schema" }, "json_schema"],
  [{ type: "json_schema", json_schema: { name: "a b", schema: closed } }, "letters"],
])("the format %o is refused", (format, message) => {
  expect(() => responseFormat().parse(format)).toThrow(message);
});
