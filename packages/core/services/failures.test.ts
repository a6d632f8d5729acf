import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import { connectionFailure, secondsOf, serviceFailure } from "./failures.ts";

const NOW = Date.UTC(2026, 0, 2);
const doing = "posting to crm.example";
const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers: new Headers(headers) });
test.each(["Fri, 02 Jan 2026 00:02:00 GMT", "Friday, 02-Jan-26 00:02:00 GMT", "Fri Jan  2 00:02:00 2026"])(
  "Retry-After: %s is two minutes away wherever the server runs",
  (header) => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "America/New_York";
    expect(secondsOf(header, NOW)).toBe(120);
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  },
);

const failure = (status: number) => serviceFailure(answer(status), { doing, now: NOW });

describe("an answer", () => {
  test.each([408, 409, 425, 500, 502, 503, 504, 599])("%i is tried again", (status) => {
    expect(failure(status)).toMatchObject({ code: "VCON_SERVICE_DOWN", retryable: true, details: { status } });
  });

  test.each([402, 429])("%i waits for more of what is used up", (status) => {
    expect(failure(status)).toMatchObject({ code: "VCON_SERVICE_QUOTA", retryable: true, details: { status } });
  });

  test.each([401, 403])("%i is about credentials, which no retry mends", (status) => {
    expect(failure(status)).toMatchObject({ code: "VCON_SERVICE_CREDENTIALS", retryable: false });
  });

  test.each([300, 301, 304, 400, 404, 405, 406, 410, 411, 413, 418, 422, 451])("%i is final", (status) => {
    expect(failure(status)).toMatchObject({ code: "VCON_SERVICE_REFUSED", retryable: false, details: { status } });
  });

  test("that says that the account is used up waits, whatever its status", () => {
    const error = serviceFailure({ ...answer(400), exhausted: true }, { doing, now: NOW });
    expect(error).toMatchObject({ code: "VCON_SERVICE_QUOTA", retryable: true });
    expect(error.message).toContain("top it up");
    expect(failure(402).message).toContain("top it up");
    expect(failure(429).message).not.toContain("top it up");
  });

  test("becomes a message that says what was done, what came, and what to do", () => {
    const message = (status: number, said?: string, remedy?: string) =>
      serviceFailure(
        { ...answer(status), ...(said !== undefined && { said }) },
        { doing, now: NOW, ...(remedy !== undefined && { remedy }) },
      ).message;
    expect(message(503)).toBe("posting to crm.example: it answers 503; it is tried again");
    expect(message(404, "no such hook", "check webhook-urls")).toBe(
      "posting to crm.example: it answers 404: no such hook; check webhook-urls",
    );
    expect(message(401)).toContain("check its credentials");
    expect(message(422)).toContain("check its options");
    expect(message(307, undefined, "check webhook-urls")).toContain("configure the address it leads to");
    expect(message(500, "x".repeat(5_000)).length).toBeLessThan(400);
  });

  test("keeps its cause and the wait it asks for", () => {
    const cause = new Error("sdk");
    const asked = serviceFailure(answer(503, { "Retry-After": "120" }), { doing, now: NOW, cause });
    expect(asked).toMatchObject({ retryAfterSecs: 120, cause });
    expect(failure(503).retryAfterSecs).toBeUndefined();
    expect("cause" in failure(503)).toBe(false);
  });
});

describe("a wait", () => {
  test.each([
    ["120", 120],
    [" 120 ", 120],
    ["0", 0],
    ["1.2", 2],
    ["Fri, 02 Jan 2026 00:01:30 GMT", 90],
    ["Friday, 02-Jan-26 00:01:30 GMT", 90],
    ["2026-01-02T00:01:30Z", 90],
    ["Thu, 01 Jan 2026 00:00:00 GMT", 0],
    ["999999999", 3_600],
    ["Fri, 02 Jan 2099 00:00:00 GMT", 3_600],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j is %j seconds", (header, seconds) => {
    expect(secondsOf(header, NOW)).toBe(seconds);
  });

  test("is whole seconds up to an hour, or none, whatever is sent", () => {
    const header = fc.oneof(fc.string(), fc.double().map(String), fc.date({ noInvalidDate: true }).map(String));
    fc.assert(
      fc.property(header, fc.integer({ min: 0, max: 2 ** 42 }), (text, now) => {
        const seconds = secondsOf(text, now);
        if (seconds === undefined) return;
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(0);
        expect(seconds).toBeLessThanOrEqual(3_600);
      }),
    );
  });
});

describe("no answer", () => {
  test("is tried again, and says what happened beneath", () => {
    const cause = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 10.0.0.1:443") });
    const error = connectionFailure(doing, cause);
    expect(error).toMatchObject({ code: "VCON_SERVICE_DOWN", retryable: true, cause });
    expect(error.message).toBe("posting to crm.example: connect ECONNREFUSED 10.0.0.1:443; it is tried again");
  });

  test.each([
    [
      new AggregateError([new Error("connect ECONNREFUSED ::1:443"), new Error("other")]),
      "connect ECONNREFUSED ::1:443",
    ],
    [new TypeError("fetch failed", { cause: new AggregateError([]) }), "AggregateError"],
    [new Error(""), "Error"],
    ["text", "text"],
    [undefined, "undefined"],
  ])("says something about %o", (cause, reason) => {
    expect(connectionFailure(doing, cause).message).toBe(`posting to crm.example: ${reason}; it is tried again`);
  });

  test("that has its code already keeps it", () => {
    const refused = new VconError("VCON_ADDRESS_REFUSED", "not there");
    expect(connectionFailure(doing, refused)).toBe(refused);
  });
});
