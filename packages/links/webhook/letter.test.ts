import { sampleVcon } from "@vcon-server/core/testing";
import { forgery } from "@vcon-server/core/testing/services/webhook";
import { parseVcon, serialize, withUpdatedAt } from "@vcon-server/vcon";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { idOf, keyOf, letterOf, stamped } from "./letter.ts";

const vcon = sampleVcon({ subject: "grüße 🎉" });
const step = { uuid: vcon.uuid, chain: "calls", link: "notify" };
const text = (document: typeof vcon) => Buffer.from(letterOf(document).body).toString();

describe("the signature", () => {
  test("is the one of the specification's example", () => {
    const keys = [keyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
    const stamp = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, keys };
    expect(stamped(Buffer.from('{"test": 2432232314}'), stamp)).toEqual({
      "webhook-id": stamp.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test("is believed by a receiver that has any of the secrets, whatever they and the body are", () => {
    const bytes = fc.uint8Array({ minLength: 24, maxLength: 64 });
    fc.assert(
      fc.property(fc.uint8Array(), fc.array(bytes, { minLength: 1, maxLength: 3 }), fc.nat(), (body, keys, which) => {
        const secrets = keys.map((key) => `whsec_${Buffer.from(key).toString("base64")}`);
        const headers = new Headers(stamped(body, { id: "msg_1", timestamp: 1_000, keys: secrets.map(keyOf) }));
        const secret = secrets[which % secrets.length] ?? "";
        expect(forgery({ headers, bytes: body }, { secrets: [secret], now: 1_000_000 })).toBeUndefined();
      }),
    );
  });

  test("is left out without secrets", () => {
    expect(Object.keys(stamped(new Uint8Array(), { id: "a", timestamp: 1, keys: [] }))).toEqual([
      "webhook-id",
      "webhook-timestamp",
    ]);
  });
});

describe("the body", () => {
  test("is the vCon, numbers no double holds included", () => {
    const json = `{"x_big":12345678901234567890,"updated_at":"2026-01-02T03:04:05Z",${serialize(vcon).slice(1)}`;
    const body = text(parseVcon(json));
    expect(body).toContain("12345678901234567890");
    expect(JSON.parse(body)).toEqual(JSON.parse(json));
    expect(text(vcon)).toBe(serialize(vcon));
  });

  test("is the vCon, whatever its members are", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.option(fc.string()), (members, stored) => {
        const { uuid } = vcon;
        const document = { ...members, uuid, ...(stored !== null && { updated_at: stored }) };
        expect(JSON.parse(text(document))).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });
});

describe("the id", () => {
  const idFor = (document = vcon, at = step, url = "https://a.example/") => idOf(letterOf(document), at, url);

  test("is the same for the same content at the same step and address", () => {
    expect(idFor()).toBe(idFor(parseVcon(serialize(vcon))));
    expect(idFor()).toMatch(/^msg_[\w-]{43}$/);
  });

  test("stays when the vCon was only stored anew, as between a dead letter and its retry", () => {
    const stored = withUpdatedAt(vcon, "2026-01-02T03:04:05Z");
    expect(idFor(stored)).toBe(idFor());
    expect(idFor(withUpdatedAt(stored, "2026-05-06T07:08:09Z"))).toBe(idFor());
  });

  test("is another one for anything else", () => {
    const others = [
      idFor(),
      idFor({ ...vcon, subject: "other" }),
      idFor(vcon, { ...step, chain: "other" }),
      idFor(vcon, { ...step, link: "other" }),
      idFor(vcon, { ...step, uuid: sampleVcon().uuid }),
      idFor(vcon, step, "https://b.example/"),
    ];
    expect(new Set(others).size).toBe(others.length);
  });
});
