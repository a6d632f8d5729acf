import { describe, expect, test } from "vitest";
import { headersOf, options } from "./options.ts";

const urls = { "webhook-urls": ["https://one.example/"] };
const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;

test("headers of the options win, whatever their case", () => {
  const headers = { "CONTENT-TYPE": "application/vcon+json", Authorization: "Basic x" };
  expect(headersOf({ headers, auth_header: "Bearer y" })).toEqual({
    "content-type": "application/vcon+json",
    authorization: "Basic x",
    "user-agent": "vcon-server",
  });
});

test.each([
  [{}, /webhook-urls/],
  [{ "webhook-urls": [] }, /webhook-urls/],
  [{ "webhook-urls": ["ftp://x/"] }, /http or https/],
  [{ "webhook-urls": ["https://user:pw@x/"] }, /auth_header/],
  [{ ...urls, headers: { "bad name": "x" } }, /header name/],
  [{ ...urls, headers: { "Webhook-Id": "x" } }, /does not set itself/],
  [{ ...urls, headers: { "Content-Length": "1" } }, /does not set itself/],
  [{ ...urls, headers: { a: "x\r\ny" } }, /one line/],
  [{ ...urls, auth_header: "Bearer\nx" }, /one line/],
  [{ ...urls, secrets: ["plain"] }, /whsec_/],
  [{ ...urls, secrets: ["whsec_"] }, /whsec_/],
  [{ ...urls, secrets: [secretOf(23)] }, /24 to 64/],
  [{ ...urls, secrets: [secretOf(65)] }, /24 to 64/],
  [{ ...urls, secrets: [`${secretOf(32)} `] }, /whsec_/],
  [{ ...urls, secrets: secretOf(32) }, /secrets/],
  [{ ...urls, timeout_secs: 0 }, /timeout_secs/],
  [{ ...urls, retry_count: 3 }, /retry_count/],
])("the options %o are refused", (given, message) => {
  expect(() => options.parse(given)).toThrow(message);
});

describe("a secret", () => {
  test.each([
    secretOf(24),
    secretOf(32),
    secretOf(64),
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    secretOf(32).replace("=", ""),
  ])("may be %s", (secret) => {
    expect(options.parse({ ...urls, secrets: [secret] }).secrets).toEqual([secret]);
  });

  test("that is refused is not repeated", () => {
    const { error } = options.safeParse({ ...urls, secrets: ["whsec_canary"], auth_header: "canary\n" });
    expect(error?.issues).toHaveLength(2);
    expect(JSON.stringify(error)).not.toContain("canary");
  });
});
