import { openNetwork } from "@vcon-server/core/network";
import { manualClock, type Service, sampleVcon, serve } from "@vcon-server/core/testing";
import { deepgramFault, fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import { transcriptFor } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import {
  calls,
  failure,
  KEY,
  media,
  options,
  recording,
  transcribe,
  transcribed,
  typesOf,
  world,
} from "./testing/world.ts";

test.each([
  [deepgramFault(401, "INVALID_AUTH", `Invalid credentials: ${KEY}`), "VCON_SERVICE_CREDENTIALS", false],
  [deepgramFault(403, "INSUFFICIENT_PERMISSIONS", "No access to the model."), "VCON_SERVICE_CREDENTIALS", false],
  [deepgramFault(402, "ASR_PAYMENT_REQUIRED", "Project does not have enough credits."), "VCON_SERVICE_QUOTA", true],
  [{ status: 429, headers: { "retry-after": "9" } }, "VCON_SERVICE_QUOTA", true],
  [{ status: 500, body: "<html>oops</html>" }, "VCON_SERVICE_DOWN", true],
  [deepgramFault(422, "ASR_UNPROCESSABLE_ENTITY", "The upload was interrupted."), "VCON_SERVICE_DOWN", true],
  [deepgramFault(400, "Bad Request", "No such model/language/tier combination."), "VCON_SERVICE_REFUSED", false],
  [{ status: 302, headers: { location: "https://elsewhere.example/" } }, "VCON_SERVICE_REFUSED", false],
  [{ status: 200, body: "no JSON" }, "VCON_SERVICE_ANSWER", true],
  [{ status: 200, body: '{"request_id":"x"}' }, "VCON_SERVICE_ANSWER", true],
  [{ status: 200, body: '{"results":{"channels":[]}}' }, "VCON_SERVICE_ANSWER", true],
  [{ status: 200, body: '{"results":{"channels":[{"alternatives":[]}]}}' }, "VCON_SERVICE_ANSWER", true],
  [{ status: 200, body: '{"results":{"channels":[{"alternatives":[{}]}]}}' }, "VCON_SERVICE_ANSWER", true],
  ["cut", "VCON_SERVICE_DOWN", true],
] as const)("%j is %s", async (fault, code, retryable) => {
  const { fetch, deepgram } = world();
  deepgram.fail(fault);
  const error = await failure(transcribe({ vcon: calls({}), fetch }));
  expect(error).toMatchObject({ code, retryable });
  expect(error.message).toMatch(/transcribing dialog 0 at media\.example with api\.deepgram\.com/);
  if (typeof fault === "object" && "headers" in fault && "retry-after" in fault.headers)
    expect(error.retryAfterSecs).toBe(9);
});

test("a wrong key is Deepgram's own refusal", async () => {
  const { fetch } = world(fakeDeepgram({ key: "another" }));
  const error = await failure(transcribe({ vcon: calls({}), fetch }));
  expect(error).toMatchObject({ code: "VCON_SERVICE_CREDENTIALS", retryable: false });
  expect(error.message).toContain("check DEEPGRAM_KEY");
});

test("a service that hangs is given up in time, and a run that ends, at once", async () => {
  const [clock, controller] = [manualClock(), new AbortController()];
  const { fetch, deepgram } = world();
  deepgram.fail("hang", "hang");
  const late = failure(transcribe({ vcon: calls({}), fetch, clock }));
  await expect.poll(() => deepgram.requests.length).toBe(1);
  clock.advance(120_000);
  expect(await late).toMatchObject({ code: "VCON_SERVICE_TIMEOUT", retryable: true });
  const ended = transcribe({ vcon: calls({}), fetch, signal: controller.signal });
  await expect.poll(() => deepgram.requests.length).toBe(2);
  controller.abort(new Error("shutting down"));
  await expect(ended).rejects.toThrow("shutting down");
});

test("bad media fails the vCon, or leaves the dialog without a transcript", async () => {
  const html: Service = () => new Response("<!doctype html><p>Log in</p>");
  const { fetch } = world(undefined, html);
  const vcon = calls({ content_hash: "sha512-x" }, { duration: 90, url: "https://other.example/2.wav" });
  expect(await failure(transcribe({ vcon, fetch }))).toMatchObject({ code: "VCON_MEDIA_UNUSABLE", retryable: false });
  const skipped = await transcribed({ vcon, fetch, options: { ...options, on_bad_media: "skip" } });
  expect(typesOf(skipped)).toEqual(["transcript 1", "wtf_transcription 1"]);
  const long = calls({ duration: 90_000 });
  expect((await failure(transcribe({ vcon: long, fetch }))).message).toContain("maximum_duration");
});

test("a recording that only Deepgram fetches, and that is not there yet, is waited for while the call is new", async () => {
  const { fetch, deepgram } = world();
  const unreachable = deepgramFault(400, "REMOTE_CONTENT_ERROR", "The remote server returned a client error: 404");
  const asked = { fetch, options: { ...options, audio_source: "url" } };
  deepgram.fail(unreachable, unreachable);
  // the clock of these tests stands a second after the call below
  const fresh = await failure(transcribe({ ...asked, vcon: calls({ start: "2026-01-02T03:02:34Z" }) }));
  expect(fresh).toMatchObject({ code: "VCON_MEDIA_PENDING", retryable: true });
  const old = await failure(transcribe({ ...asked, vcon: calls({ start: "2025-12-02T03:02:34Z" }) }));
  expect(old).toMatchObject({ code: "VCON_MEDIA_UNUSABLE", retryable: false });
});

test("over a real connection, with a real answer and a wrong key", async () => {
  const served = await serve(fakeDeepgram({ key: KEY }).answer);
  const host = await serve(media);
  const { duration: _, ...unknown } = recording({ url: `${host.url}/1.wav` });
  const vcon = sampleVcon({ dialog: [unknown] });
  const here = { ...options, DEEPGRAM_URL: served.url };
  const done = await transcribed({ vcon, fetch: globalThis.fetch, options: here });
  expect(done.dialog?.[0]?.duration).toBe(90);
  expect(transcriptFor(done, 0)?.text).toContain("90 seconds");
  const wrong = transcribe({ vcon, fetch: globalThis.fetch, options: { ...here, DEEPGRAM_KEY: "wrong" } });
  expect(await failure(wrong)).toMatchObject({ code: "VCON_SERVICE_CREDENTIALS" });
  await served.close();
  await host.close();
});

test("what the server's fetch guards is guarded here too, also behind a redirect", async () => {
  const deepgram = await serve(fakeDeepgram({ key: null }).answer);
  const host = await serve(() => new Response(null, { status: 302, headers: { location: "http://127.0.0.2/1.wav" } }));
  const [closed, open] = [openNetwork(), openNetwork(["127.0.0.1"])];
  const here = { DEEPGRAM_URL: deepgram.url };
  const vcon = calls({ url: `${host.url}/1.wav` });
  for (const network of [closed, open]) {
    const running = transcribe({ vcon, options: here, fetch: network.fetchFor([deepgram.url]) });
    expect(await failure(running)).toMatchObject({ code: "VCON_ADDRESS_REFUSED", retryable: false });
  }
  await Promise.all([closed.close(), open.close(), deepgram.close(), host.close()]);
});

test("no secret gets into the vCon, and neither a secret nor what was said into the log", async () => {
  const lines: string[] = [];
  const write = (message: string, fields: object = {}) =>
    void lines.push(
      message,
      ...Object.values(fields).map((one) => String(one instanceof Error ? one.stack : JSON.stringify(one))),
    );
  const log = { debug: write, info: write, warn: write, error: write };
  const { fetch } = world(fakeDeepgram({ transcript: "spoken words" }));
  const secrets = {
    DEEPGRAM_KEY: KEY,
    ai_usage_api_token: "canary-token",
    send_ai_usage_data_to_url: "https://nobody.example/?canary",
    api: { model: "nova-3", keyterm: ["canary"], tag: "canary" },
  };
  const done = await transcribed({ vcon: calls({}, { duration: 2 }), fetch, log, options: secrets });
  expect(JSON.stringify({ ...done, dialog: [] })).not.toContain("canary");
  expect(lines.join("\n")).toMatch(/too short/);
  expect(lines.join("\n")).toMatch(/usage report/);
  expect(lines.join("\n")).not.toMatch(/canary|spoken/);
});
