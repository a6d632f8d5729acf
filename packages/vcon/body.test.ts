import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesBody, type Content, decodeBody, type Json, jsonBody, textBody } from "./index.ts";

const json = fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value)));

describe("what is written is read again", () => {
  test("JSON, as text and as value", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(decodeBody(jsonBody(value))).toEqual({ kind: "json", value });
        if (typeof value !== "string") expect(decodeBody(jsonBody(value, "value"))).toEqual({ kind: "json", value });
      }),
    );
  });

  test("text and bytes", () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), (text, bytes) => {
        expect(decodeBody(textBody(text))).toEqual({ kind: "text", text });
        expect(decodeBody(bytesBody(bytes))).toEqual({ kind: "bytes", bytes: new Uint8Array(bytes) });
      }),
    );
  });
});

describe("what producers write", () => {
  const bytes = Uint8Array.of(0xfb, 0xef, 0xff);
  const cases: readonly (readonly [string, Content, unknown])[] = [
    ["JSON text under json", { body: '{"a":1}', encoding: "json" }, { kind: "json", value: { a: 1 } }],
    ["a string under json that is no JSON", { body: "hello", encoding: "json" }, { kind: "json", value: "hello" }],
    ["null under json", { body: null, encoding: "json" }, { kind: "json", value: null }],
    ["an object under none", { body: { a: 1 }, encoding: "none" }, { kind: "json", value: { a: 1 } }],
    ["text that looks like a number", { body: "42", encoding: "none" }, { kind: "text", text: "42" }],
    ["standard base64 with padding", { body: "++//", encoding: "base64url" }, { kind: "bytes", bytes }],
    ["base64 under its own name", { body: "--__", encoding: "base64" }, { kind: "bytes", bytes }],
    ["an object without encoding", { body: [1] }, { kind: "json", value: [1] }],
    ["audio without encoding", { body: "--__", mediatype: "audio/x-wav" }, { kind: "bytes", bytes }],
    [
      "padded audio without encoding",
      { body: "--8=", mediatype: "audio/x-wav" },
      { kind: "bytes", bytes: bytes.with(1, 0xef).subarray(0, 2) },
    ],
    ["text without encoding", { body: "--__", mediatype: "text/plain" }, { kind: "text", text: "--__" }],
    ["anything without encoding and media type", { body: "hi" }, { kind: "text", text: "hi" }],
    ["an unknown encoding", { body: "hi", encoding: "text" }, { kind: "text", text: "hi" }],
    ["no body", { url: "https://a.example/x" }, undefined],
    ["null without json", { body: null, encoding: "none" }, undefined],
    ["letters that are no base64", { body: "a*b", encoding: "base64url" }, undefined],
  ];
  test.each(cases)("%s", (_, content, expected) => expect(decodeBody(content)).toEqual(expected));

  test("numbers in JSON text keep their text", () => {
    expect(JSON.stringify(decodeBody({ body: '{"n":12345678901234567890}', encoding: "json" }))).toContain(
      "12345678901234567890",
    );
  });
});

test("a media type that is no text says nothing, and brings nothing down", () => {
  const odd: Content = parseJsonContent('{"mediatype":{"toString":""},"body":"aGk"}');
  expect(decodeBody(odd)).toEqual({ kind: "text", text: "aGk" });
});

/** What a stored document may hold, whatever the types say. */
const parseJsonContent = (text: string): Content => JSON.parse(text);
