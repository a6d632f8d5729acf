import type { VconError } from "@vcon-server/core";
import { fakeFetch, manualClock } from "@vcon-server/core/testing";
import type { Dialog } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { withAudio } from "./media.ts";
import { recordingsOf } from "./recordings.ts";
import { openRoom } from "./room.ts";

const NOW = Date.UTC(2026, 0, 15, 10);
const before = (seconds: number) => new Date(NOW - seconds * 1_000).toISOString();

interface Asked {
  readonly answer: () => Response;
  readonly dialog?: Partial<Dialog>;
  readonly created?: string;
  readonly wait?: number;
}

/** The failure of a recording whose host answers so, with the call over at the time the vCon says. */
async function failure({ answer, dialog = {}, created, wait = 3_600 }: Asked): Promise<VconError> {
  const [recording] = recordingsOf({
    dialog: [{ type: "recording", url: "https://media.example/1.wav", ...dialog }],
    ...(created !== undefined && { created_at: created }),
  });
  const needs = {
    options: { max_audio_bytes: 1e6, download_timeout_secs: 5, recording_wait_secs: wait },
    fetch: fakeFetch(answer).fetch,
    clock: manualClock(NOW),
    signal: new AbortController().signal,
    room: openRoom(1e6, ""),
    probing: openRoom(2, ""),
  };
  const running = withAudio(recording ?? expect.fail("no recording"), needs, async () => expect.fail("it was read"));
  return running.catch((error) => error);
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new Response(code === 204 ? null : "", { status: code, headers });

const PENDING = { code: "VCON_MEDIA_PENDING", retryable: true };
const GONE = { code: "VCON_MEDIA_UNUSABLE", retryable: false };

test.each([200, 202, 204, 404, 425])(
  "a recording of a call that has just ended is looked for again after %i",
  async (code) => {
    const error = await failure({ answer: status(code), dialog: { start: before(120), duration: 80 } });
    expect(error).toMatchObject({ ...PENDING, retryAfterSecs: 5 });
    expect(error.message).toMatch(
      /dialog 0 from media\.example: (its host answers \d+|it is empty); .*recording_wait_secs/,
    );
  },
);

test.each([401, 403, 410])("%i says that it may not be had, however new it is", async (code) => {
  expect(await failure({ answer: status(code), dialog: { start: before(10) } })).toMatchObject(GONE);
});

test("403 may mean that it is not there yet where the address is signed for S3", async () => {
  const url = "https://bucket.s3.amazonaws.com/1.wav?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=canary";
  const error = await failure({ answer: status(403), dialog: { start: before(10), url } });
  expect(error).toMatchObject(PENDING);
  expect(error.message).not.toContain("canary");
});

test.each([
  ["the call ended long ago", { dialog: { start: before(9_000), duration: 60 } }],
  ["the call ended long ago, though the vCon is new", { dialog: { start: before(9_000) }, created: before(5) }],
  ["the vCon is old", { created: before(9_000) }],
  ["the vCon has no time", {}],
  ["the time cannot be read", { dialog: { start: "yesterday" } }],
  ["the clock of the sender is wrong", { dialog: { start: before(-90_000) } }],
  ["it is not to be waited for", { dialog: { start: before(1) }, wait: 0 }],
])("it is gone where %s", async (_, asked) => {
  expect(await failure({ answer: status(404), ...asked })).toMatchObject(GONE);
});

test.each([
  ["the end of a long call counts", { dialog: { start: before(9_000), duration: 8_900 } }],
  ["the vCon is new and says nothing more", { created: before(60) }],
  ["the time of the dialog is from the future", { dialog: { start: before(-90_000) }, created: before(60) }],
  ["a clock is a little ahead", { dialog: { start: before(-60) } }],
])("it is waited for where %s", async (_, asked) => {
  expect(await failure({ answer: status(404), ...asked })).toMatchObject(PENDING);
});

test("the older the call the longer the wait, unless the host says when", async () => {
  const after = async (seconds: number, headers = {}) =>
    (await failure({ answer: status(202, headers), dialog: { start: before(seconds) }, wait: 90_000 })).retryAfterSecs;
  expect(await after(1)).toBe(5);
  expect(await after(800)).toBe(100);
  expect(await after(80_000)).toBe(900);
  expect(await after(800, { "retry-after": "7" })).toBe(7);
  // the tries are not counted: nothing else would hold them back
  expect(await after(800, { "retry-after": "0" })).toBe(5);
});
