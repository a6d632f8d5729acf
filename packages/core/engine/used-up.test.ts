import { expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import { type LogFields, silent } from "../telemetry/logger.ts";
import { noNetwork } from "../testing/index.ts";
import { failing, step } from "./conformance/stage.ts";
import type { PreparedStep } from "./runtime.ts";
import { waitingFor } from "./used-up.ts";

const error = new VconError("VCON_SERVICE_QUOTA", "asking gpt-5: its limit is used up");

test("of all vCons that wait for a link, one line a minute tells", () => {
  const lines: LogFields[] = [];
  const log = { ...silent, warn: (_: string, fields: LogFields = {}) => void lines.push(fields) };
  const waiting: PreparedStep = { ...step(failing(error)), deps: {}, state: undefined, fetch: noNetwork, log };
  for (let at = 0; at < 1_000; at++) expect(waitingFor(waiting, { since: undefined, error, now: 5_000 })).toBe(5_000);
  expect(lines).toEqual([{ code: "VCON_SERVICE_QUOTA", error: error.message, patience_secs: 60 }]);
  expect(waitingFor(waiting, { since: 5_000, error, now: 64_999 })).toBe(5_000);
  expect(lines).toHaveLength(1);
  expect(waitingFor(waiting, { since: 60_000, error, now: 65_000 })).toBe(60_000);
  expect(lines).toHaveLength(2);
});

test("a recording that is not there yet is waited for as long as the link says so", () => {
  const lines: unknown[] = [];
  const log = { ...silent, warn: (message: string, fields: LogFields = {}) => void lines.push(message, fields) };
  const waiting: PreparedStep = { ...step(failing(error)), deps: {}, state: undefined, fetch: noNetwork, log };
  const pending = new VconError("VCON_MEDIA_PENDING", "fetching the recording of dialog 0: it answers 404");
  expect(waitingFor(waiting, { since: 5_000, error: pending, now: 90_000_000 })).toBe(5_000);
  expect(lines).toEqual([
    "recordings are not there yet; vCons wait for them",
    { code: "VCON_MEDIA_PENDING", error: pending.message },
  ]);
  const gone = new VconError("VCON_MEDIA_UNUSABLE", "fetching the recording of dialog 0: it answers 404");
  expect(waitingFor(waiting, { since: 5_000, error: gone, now: 6_000 })).toBeUndefined();
});
