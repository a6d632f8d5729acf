import { VconError } from "@vcon-server/core";
import { fakeFetch, instantClock, manualClock } from "@vcon-server/core/testing";
import { contentHash, type Dialog, encodeBase64url } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { type MediaNeeds, withAudio } from "./media.ts";
import { openRoom } from "./room.ts";
import { wav } from "./testing/sounds.ts";
import type { Audio } from "./transcriber.ts";

const SOUND = wav({ seconds: 2 });
const SECRET = "sig=canary-1234";
const MAX = 10_000_000;

const needs = (more: Partial<MediaNeeds> = {}): MediaNeeds => ({
  options: { max_audio_bytes: MAX, download_timeout_secs: 5, recording_wait_secs: 3_600 },
  fetch: fakeFetch(() => new Response(SOUND)).fetch,
  clock: manualClock(),
  signal: new AbortController().signal,
  room: openRoom(MAX, ""),
  probing: openRoom(2, ""),
  ...more,
});

const audioOf = (dialog: Partial<Dialog>, more?: Partial<MediaNeeds>): Promise<Audio> =>
  withAudio({ dialog: { type: "recording", ...dialog }, index: 3 }, needs(more), async (audio) => audio);

const isSame = ({ bytes }: Audio, other: Uint8Array): boolean => Buffer.compare(bytes, other) === 0;

const external = { url: `https://media.example/calls/1.wav?${SECRET}` };

/** The failure, after looking whether it tells a secret. */
async function failure(running: Promise<unknown>): Promise<VconError> {
  const error: unknown = await running.then(
    () => "nothing failed",
    (reason: unknown) => reason,
  );
  if (!(error instanceof VconError)) throw error;
  expect(`${error.message} ${JSON.stringify(error.details)} ${String(error.cause)}`).not.toContain("canary");
  return error;
}

test("a recording is fetched, recognised and measured", async () => {
  const { fetch, requests } = fakeFetch(() => new Response(SOUND));
  const audio = await audioOf({ ...external, mediatype: "text/plain" }, { fetch });
  expect(isSame(audio, SOUND)).toBe(true);
  expect(audio).toMatchObject({
    seconds: 2,
    mediatype: "audio/wav",
    extension: "wav",
  });
  expect(requests).toMatchObject([{ method: "GET", url: external.url, headers: { "user-agent": "vcon-server" } }]);
});

test.each([
  ["base64url", encodeBase64url(SOUND)],
  ["base64", Buffer.from(SOUND).toString("base64")],
  [undefined, Buffer.from(SOUND).toString("base64")],
  ["none", encodeBase64url(SOUND)],
])("a recording inside the vCon with encoding %s is decoded", async (encoding, body) => {
  const dialog = encoding === undefined ? { body } : { body, encoding };
  expect(isSame(await audioOf(dialog), SOUND)).toBe(true);
});

test("a login in the address is sent as the header it stands for, and nowhere else", async () => {
  const { fetch, requests } = fakeFetch(() => new Response(null, { status: 401 }));
  const error = await failure(audioOf({ url: "https://AC1:canary%2B1@media.example/1.wav" }, { fetch }));
  expect(requests[0]).toMatchObject({
    url: "https://media.example/1.wav",
    headers: { authorization: `Basic ${Buffer.from("AC1:canary+1").toString("base64")}` },
  });
  expect(error.message).toContain("media.example");
});

test("what fits the hash is taken, what does not was changed", async () => {
  const content_hash = contentHash(SOUND);
  expect(isSame(await audioOf({ ...external, content_hash }), SOUND)).toBe(true);
  for (const wrong of [contentHash(SOUND.slice(1)), "md5-abc", [content_hash, contentHash(SOUND.slice(2), "sha256")]])
    expect(await failure(audioOf({ ...external, content_hash: wrong }))).toMatchObject({
      code: "VCON_MEDIA_CHANGED",
      retryable: false,
    });
});

test.each([
  ["an error page", "<!doctype html><html>Please log in</html>", /web page/],
  ["nothing", "", /empty/],
  ["JSON", '{"message":"expired"}', /text/],
])("%s behind the address is bad media", async (_, content, says) => {
  const { fetch } = fakeFetch(() => new Response(content, { headers: { "content-type": "audio/wav" } }));
  const error = await failure(audioOf(external, { fetch }));
  expect(error).toMatchObject({ code: "VCON_MEDIA_UNUSABLE", retryable: false });
  expect(error.message).toMatch(says);
  expect(error.message).toContain("dialog 3");
});

test.each([401, 403, 404, 410, 416])("a host that answers %i has no recording", async (status) => {
  const { fetch } = fakeFetch(() => new Response("gone", { status }));
  const error = await failure(audioOf(external, { fetch }));
  expect(error).toMatchObject({ code: "VCON_MEDIA_UNUSABLE", retryable: false });
  expect(error.message).toMatch(/dialog 3 from media\.example.*answers/);
});

test("a host that is busy or broken is tried again, when it says", async () => {
  const answering = (status: number) =>
    fakeFetch(() => new Response("later", { status, headers: { "retry-after": "7" } })).fetch;
  const busy = await failure(audioOf(external, { fetch: answering(429) }));
  expect(busy).toMatchObject({ code: "VCON_SERVICE_QUOTA", retryable: true, retryAfterSecs: 7 });
  const broken = await failure(audioOf(external, { fetch: answering(503) }));
  expect(broken).toMatchObject({ code: "VCON_SERVICE_DOWN", retryable: true });
});

test("addresses that are none, or lead into this machine, are not fetched", async () => {
  expect(await failure(audioOf({ url: "file:///etc/passwd" }))).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
  expect(await failure(audioOf({ url: "not an address?canary" }))).toMatchObject({ code: "VCON_MEDIA_UNUSABLE" });
  const { fetch } = fakeFetch(() => {
    throw new VconError("VCON_ADDRESS_REFUSED", "media.example is 10.0.0.1");
  });
  expect(await failure(audioOf(external, { fetch }))).toMatchObject({ code: "VCON_ADDRESS_REFUSED", retryable: false });
});

test("a body that is no base64, and one that holds no audio, are bad media", async () => {
  for (const body of ["%%%", "aGVsbG8gd29ybGQ"])
    expect(await failure(audioOf({ body, encoding: "base64url" }))).toMatchObject({ code: "VCON_MEDIA_UNUSABLE" });
});

const stream = (size: number, more: () => boolean = () => true) =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      if (!more()) return controller.close();
      return controller.enqueue(new Uint8Array(size));
    },
  });

test("a recording of unknown size is let in with a guess, and fetched again when it needs more room", async () => {
  const large = wav({ seconds: 300 });
  const { fetch, requests } = fakeFetch(() => {
    const parts = [large.slice(0, 3_000_000), large.slice(3_000_000)];
    return new Response(ReadableStream.from(parts));
  });
  const room = openRoom(MAX, "");
  expect(isSame(await audioOf(external, { fetch, room }), large)).toBe(true);
  expect(requests).toHaveLength(2);
  // all of it was given back
  expect(
    await room.take(MAX, { doing: "", signal: new AbortController().signal, clock: instantClock() }),
  ).toBeDefined();
});

test("an endless recording ends at max_audio_bytes, and one that says it is too large is not even begun", async () => {
  const endless = fakeFetch(() => new Response(stream(1_000_000)));
  const error = await failure(audioOf(external, endless));
  expect(error).toMatchObject({ code: "VCON_MEDIA_UNUSABLE" });
  expect(error.message).toMatch(/more than 10000000 bytes.*max_audio_bytes/);
  const announced = fakeFetch(() => new Response(stream(10), { headers: { "content-length": String(MAX + 1) } }));
  expect((await failure(audioOf(external, announced))).message).toContain("max_audio_bytes");
  expect(announced.requests).toHaveLength(1);
  const inside = "A".repeat(14_000_000);
  expect((await failure(audioOf({ body: inside, encoding: "base64url" }))).message).toContain("max_audio_bytes");
});

test("a slow download is given up in time and tried again", async () => {
  const clock = manualClock();
  const { fetch, requests } = fakeFetch(
    () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) })),
  );
  const running = failure(audioOf(external, { fetch, clock }));
  await expect.poll(() => requests.length).toBe(1);
  clock.advance(5_000);
  expect(await running).toMatchObject({ code: "VCON_SERVICE_TIMEOUT", retryable: true });
});

test("recordings share the room there is", async () => {
  const room = openRoom(1_000_000, "");
  let [inside, most] = [0, 0];
  const body = encodeBase64url(wav({ seconds: 18.75 }));
  const runs = Array.from({ length: 12 }, () =>
    withAudio({ dialog: { type: "recording", body, encoding: "base64url" }, index: 0 }, needs({ room }), async () => {
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    }),
  );
  await Promise.all(runs);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(3);
});
