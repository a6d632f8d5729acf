import { describe, expect, test } from "vitest";
import { encodeBase64url, formOf, payloadOf, uuidOf } from "./index.ts";

const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
const OTHER = "01a088bb-37da-8bf5-9c23-b79d96f1a1ba";
const encoded = (value: unknown) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));
const signed = (payload: unknown, header: unknown = {}) => ({
  payload: encoded(payload),
  signatures: [{ header, protected: "", signature: "" }],
});

describe("formOf", () => {
  test.each([
    [{ parties: [] }, "unsigned"],
    [{ sessions: [] }, "unsigned"],
    [{ uuid: UUID, created_at: "2026-09-14T08:30:00Z" }, "unsigned"],
    [signed({}), "signed"],
    [{ ...signed({}), parties: [] }, "signed"],
    [{ ciphertext: "", recipients: [] }, "encrypted"],
    [{ uuid: UUID }, undefined],
    [{ payload: "", signature: "" }, undefined],
    [[], undefined],
    [null, undefined],
    ["eyJ.eyJ.x", undefined],
  ])("%j is %s", (value, form) => expect(formOf(value)).toBe(form));
});

describe("uuidOf", () => {
  test("of a signed vCon is what the signature covers, not what stands beside it", () => {
    expect(uuidOf(signed({ uuid: UUID }, { uuid: OTHER }))).toBe(UUID);
    expect(uuidOf({ ...signed({ uuid: UUID.toUpperCase() }), uuid: OTHER, parties: [] })).toBe(UUID);
  });

  test("falls back to the headers where the payload cannot be read", () => {
    expect(uuidOf({ payload: "H4sIAAAA", signatures: [{ header: { uuid: OTHER } }] })).toBe(OTHER);
    expect(uuidOf({ payload: "H4sIAAAA", signatures: [{}, { protected: encoded({ uuid: OTHER }) }] })).toBe(OTHER);
    expect(uuidOf({ payload: 5, signatures: "none" })).toBeUndefined();
  });

  test("of an encrypted vCon comes from its headers", () => {
    const sealed = { ciphertext: "", recipients: [] };
    expect(uuidOf({ ...sealed, unprotected: { uuid: UUID } })).toBe(UUID);
    expect(uuidOf({ ...sealed, protected: encoded({ uuid: UUID }) })).toBe(UUID);
    expect(uuidOf(sealed)).toBeUndefined();
  });

  test("looks through forms that were signed again, but not for ever", () => {
    let form: unknown = { uuid: UUID, parties: [] };
    for (let depth = 0; depth < 3; depth++) form = signed(form);
    expect(uuidOf(form)).toBe(UUID);
    expect(payloadOf(signed(signed({ uuid: UUID })))).toEqual({ uuid: UUID });
    for (let depth = 0; depth < 9; depth++) form = signed(form);
    expect(uuidOf(form)).toBeUndefined();
  });
});
