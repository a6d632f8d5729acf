import { VconError } from "@vcon-server/core";
import { fetchFrom, routed, type Service, sampleVcon } from "@vcon-server/core/testing";
import { deepgramFault, fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import { fakeTranscription } from "@vcon-server/core/testing/services/openai-audio";
import { contentHash, encodeBase64url, parseVcon, transcriptFor, type Vcon } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { wav } from "../_shared/transcription/testing/sounds.ts";
import deepgramLink from "./index.ts";
import {
  bodyOf,
  calls,
  failure,
  KEY,
  media,
  options,
  recording,
  SOUND,
  transcribe,
  transcribed,
  typesOf,
  URL_1,
  world,
} from "./testing/world.ts";

test("a recording is transcribed by its address, and written as the Python server and as everybody reads it", async () => {
  const { fetch, deepgram, fetched } = world();
  const vcon = await transcribed({ vcon: calls({}), fetch });
  expect(fetched).toEqual([]);
  const [request] = deepgram.requests;
  expect(request?.url.href).toBe(
    "https://api.deepgram.com/v1/listen?model=nova-3&smart_format=true&detect_language=true",
  );
  expect(JSON.parse(request?.text ?? "")).toEqual({ url: URL_1 });
  expect(request?.headers.get("authorization")).toBe(`Token ${KEY}`);
  const said = "This is the recording /calls/1.wav of media.example.";
  expect(vcon.analysis).toMatchObject([
    {
      type: "transcript",
      dialog: 0,
      vendor: "deepgram",
      product: "nova-3",
      encoding: "json",
      vendor_schema: {
        opts: { minimum_duration: 60, minimum_confidence: 0.5, api: { model: "nova-3", smart_format: true } },
      },
    },
    { type: "wtf_transcription", dialog: 0, vendor: "deepgram", product: "nova-3", encoding: "json" },
  ]);
  expect(bodyOf(vcon)).toMatchObject({
    transcript: said,
    confidence: 0.98,
    detected_language: "en",
    paragraphs: { transcript: `\n${said}` },
  });
  expect(bodyOf(vcon, 1)).toMatchObject({
    transcript: { text: said, language: "en", duration: 90 },
    metadata: { provider: "deepgram", model: "nova-3", audio: { duration: 90 } },
  });
  expect(transcriptFor(vcon, 0)?.segments[0]).toMatchObject({ text: said, end: 90 });
  expect(vcon.extensions).toEqual(["wtf_transcription"]);
});

test("JSON bodies are values where the chain writes them so, and the normalised transcript can be left out", async () => {
  const { fetch } = world();
  const vcon = await transcribed({
    vcon: calls({}),
    fetch,
    jsonBodies: "value",
    options: { ...options, normalized: false },
  });
  expect(typesOf(vcon)).toEqual(["transcript 0"]);
  expect(vcon.analysis?.[0]?.body).toMatchObject({ confidence: 0.98 });
  expect(vcon.extensions).toBeUndefined();
});

test("a recording of unknown length is fetched, measured and sent; the length is written down", async () => {
  const { fetch, deepgram, fetched } = world();
  const { duration: _, ...unknown } = recording();
  const vcon = await transcribed({ vcon: sampleVcon({ dialog: [unknown] }), fetch });
  expect(fetched).toEqual([URL_1]);
  expect(deepgram.requests[0]?.headers.get("content-type")).toBe("audio/wav");
  expect(deepgram.requests[0]?.bytes.length).toBe(SOUND.length);
  expect(vcon.dialog?.[0]?.duration).toBe(90);
  expect(bodyOf(vcon)).toMatchObject({ transcript: `This is 90 seconds of audio in ${SOUND.length} bytes.` });
});

test("null is no length either, and one that turns out too short is measured but not paid for", async () => {
  const short = wav({ seconds: 12 });
  const { fetch, deepgram } = world(undefined, () => new Response(short));
  const given = JSON.stringify({ ...sampleVcon(), dialog: [{ ...recording(), duration: null }] });
  const vcon = await transcribed({ vcon: parseVcon(given), fetch });
  expect(vcon.dialog?.[0]?.duration).toBe(12);
  expect(vcon.analysis).toBeUndefined();
  expect(deepgram.requests).toEqual([]);
});

test("what must match its hash is fetched and checked before anybody pays for it", async () => {
  const { fetch, deepgram } = world();
  const good = await transcribed({ vcon: calls({ content_hash: contentHash(SOUND) }), fetch });
  expect(typesOf(good)).toHaveLength(2);
  const changed = await failure(transcribe({ vcon: calls({ content_hash: contentHash(SOUND.slice(1)) }), fetch }));
  expect(changed).toMatchObject({ code: "VCON_MEDIA_CHANGED", retryable: false });
  expect(deepgram.requests).toHaveLength(1);
});

test("a recording inside the vCon is sent as it is", async () => {
  const { fetch, deepgram, fetched } = world();
  const { url: _, ...inside } = recording({ body: encodeBase64url(SOUND), encoding: "base64url" });
  await transcribed({ vcon: sampleVcon({ dialog: [inside] }), fetch });
  expect(Buffer.compare(deepgram.requests[0]?.bytes ?? Buffer.alloc(0), SOUND)).toBe(0);
  expect(fetched).toEqual([]);
});

test.each([
  ["a private address", { url: "http://10.1.2.3/1.wav" }],
  ["a name of the private network", { url: "http://recorder.internal/1.wav" }],
  ["a name without a domain", { url: "http://recorder/1.wav" }],
  ["a login", { url: "https://me:canary@media.example/1.wav" }],
])("Deepgram is not sent to %s: this server fetches it, where it may", async (_, dialog) => {
  const { deepgram } = world();
  const fetch = fetchFrom(routed([/deepgram/, deepgram.answer], [/./, media]));
  await transcribed({ vcon: calls(dialog), fetch });
  expect(deepgram.requests[0]?.headers.get("content-type")).toBe("audio/wav");
});

test("nor is a Deepgram of one's own, which could reach the private network", async () => {
  const { fetch, fetched, deepgram } = world(fakeDeepgram({ key: null }));
  await transcribed({ vcon: calls({}), fetch, options: { DEEPGRAM_URL: "http://deepgram.mine:8080/" } });
  expect(fetched).toHaveLength(1);
  expect(deepgram.requests[0]?.url.href).toBe("http://deepgram.mine:8080/v1/listen?model=nova-3");
  expect(deepgram.requests[0]?.headers.get("authorization")).toBeNull();
});

test("who fetches can be decided once and for all", async () => {
  const [byUrl, byBytes] = [world(), world()];
  const vcon = calls({ content_hash: contentHash(SOUND), url: "http://10.1.2.3/1.wav" });
  await transcribed({ vcon, fetch: byUrl.fetch, options: { ...options, audio_source: "url" } });
  expect(JSON.parse(byUrl.deepgram.requests[0]?.text ?? "")).toEqual({ url: "http://10.1.2.3/1.wav" });
  await transcribed({ vcon: calls({}), fetch: byBytes.fetch, options: { ...options, audio_source: "bytes" } });
  expect(byBytes.fetched).toEqual([URL_1]);
});

test("what Deepgram cannot fetch, this server tries to", async () => {
  const { fetch, deepgram, fetched } = world();
  deepgram.fail(deepgramFault(400, "REMOTE_CONTENT_ERROR", `The remote server hosting ${URL_1} failed`));
  const vcon = await transcribed({ vcon: calls({}), fetch });
  expect(fetched).toEqual([URL_1]);
  expect(typesOf(vcon)).toHaveLength(2);
  const gone = world(undefined, () => new Response(null, { status: 404 }));
  gone.deepgram.fail(deepgramFault(400, "REMOTE_CONTENT_ERROR", "The remote server returned a client error: 404"));
  const old = calls({ start: "2025-12-02T03:04:05Z" });
  const error = await failure(transcribe({ vcon: old, fetch: gone.fetch }));
  expect(error).toMatchObject({ code: "VCON_MEDIA_UNUSABLE", retryable: false });
  expect(error.message).toMatch(/dialog 0 from media\.example.*404/);
});

test("nothing to do is the very same vCon", async () => {
  const { fetch, deepgram } = world();
  const untouched = [
    sampleVcon(),
    { uuid: sampleVcon().uuid },
    calls({ duration: 59.9 }),
    calls({ duration: 0 }),
    sampleVcon({ dialog: [{ type: "recording" }, { type: "recording", url: "", body: "" }] }),
    sampleVcon({ dialog: [{ type: "video", url: URL_1, duration: 90 }] }),
  ];
  for (const vcon of untouched) expect(await transcribed({ vcon, fetch })).toBe(vcon);
  expect(deepgram.requests).toEqual([]);
});

test("signed and encrypted vCons go on as they are", async () => {
  const { uuid } = sampleVcon();
  const sealed: Vcon[] = [
    { uuid, payload: "e30", signatures: [{ protected: "e30", signature: "x" }], dialog: [recording()] },
    { uuid, ciphertext: "e30", recipients: [{}], dialog: [recording()] },
  ];
  for (const vcon of sealed) expect(await transcribed({ vcon, fetch: world().fetch })).toBe(vcon);
});

test("members that are missing, null or of the wrong type fail nothing", async () => {
  const { fetch } = world();
  const odd = (members: string) => parseVcon(`{"uuid":"${sampleVcon().uuid}",${members}}`);
  for (const members of [`"dialog":[null,7,{},{"type":"recording","url":null}]`, `"dialog":[],"analysis":[null]`]) {
    const vcon = odd(members);
    expect(await transcribed({ vcon, fetch })).toBe(vcon);
  }
  const dialog = `{"type":"recording","url":"${URL_1}","duration":"90","content_hash":null,"mediatype":7}`;
  const vcon = await transcribed({ vcon: odd(`"dialog":[${dialog}],"analysis":[null,{"type":"transcript"}]`), fetch });
  expect(vcon.analysis).toHaveLength(4);
  expect(vcon.dialog?.[0]?.duration).toBe("90");
  const hash = odd(`"dialog":[{"type":"recording","url":"${URL_1}","content_hash":7}]`);
  expect(await failure(transcribe({ vcon: hash, fetch }))).toMatchObject({ code: "VCON_MEDIA_CHANGED" });
});

test("audio by its media type is a recording, whatever its type", async () => {
  const { fetch } = world();
  expect(typesOf(await transcribed({ vcon: calls({ type: "audio" }), fetch }))).toHaveLength(2);
});

test("a dialog with a transcript, whoever made it, is not paid for again", async () => {
  const { fetch, deepgram } = world();
  const once = await transcribed({ vcon: calls({}, {}), fetch });
  expect(typesOf(once)).toEqual(["transcript 0", "wtf_transcription 0", "transcript 1", "wtf_transcription 1"]);
  expect(await transcribed({ vcon: once, fetch })).toBe(once);
  const others = {
    ...calls({}),
    analysis: [{ type: "transcript", dialog: 0, vendor: "whisper", body: "Hello there." }],
  };
  expect(await transcribed({ vcon: others, fetch })).toBe(others);
  const empty = { ...calls({}), analysis: [{ type: "transcript", dialog: 0, vendor: "whisper", body: "" }] };
  expect(await transcribed({ vcon: empty, fetch })).not.toBe(empty);
  expect(deepgram.requests).toHaveLength(3);
});

test("a transcript Deepgram is not sure about is not kept, and not paid for again", async () => {
  const { fetch, deepgram } = world(fakeDeepgram({ confidence: 0.31, transcript: "mumble canary mumble" }));
  const rejected = await transcribed({ vcon: calls({}), fetch });
  expect(typesOf(rejected)).toEqual(["transcript_rejected 0"]);
  expect(bodyOf(rejected)).toEqual({ reason: "confidence", confidence: 0.31, minimum_confidence: 0.5 });
  expect(transcriptFor(rejected, 0)).toBeUndefined();
  expect(await transcribed({ vcon: rejected, fetch })).toBe(rejected);
  expect(deepgram.requests).toHaveLength(1);
  const lower = await transcribed({ vcon: rejected, fetch, options: { ...options, minimum_confidence: 0.3 } });
  expect(typesOf(lower)).toEqual(["transcript 0", "wtf_transcription 0"]);
  const other = await transcribed({ vcon: rejected, fetch, options: { ...options, api: { model: "nova-2" } } });
  expect(typesOf(other)).toEqual(["transcript_rejected 0", "transcript_rejected 0"]);
});

test("of several channels the silent ones say nothing against the others, and all are kept", async () => {
  let turn = 0;
  const stereo = wav({ seconds: 90, channels: 2 });
  const deepgram = fakeDeepgram({ transcript: "Hello." });
  const answer: Service = async (request) => {
    const text = await (await deepgram.answer(request)).text();
    const quiet = '"alternatives":[{"transcript":"","confidence":0,"words":[]}]';
    turn++;
    return new Response(text.replace(/"alternatives":\[\{.*?\]\}\]/, quiet));
  };
  const fetch = fetchFrom(routed([/deepgram/, answer], [/media/, () => new Response(stereo)]));
  const api = { model: "nova-3", multichannel: true, utterances: true };
  const vcon = await transcribed({
    vcon: calls({}),
    fetch,
    options: { ...options, api, audio_source: "bytes" },
  });
  expect(turn).toBe(1);
  expect(bodyOf(vcon)).toMatchObject({
    transcript: "",
    other_channels: [{ transcript: "Hello.", detected_language: "en" }],
    utterances: [{ channel: 0 }, { channel: 1 }],
  });
  expect(transcriptFor(vcon, 0)?.text).toContain("Hello.");
});

test("what a dialog cost is kept before the next one can fail", async () => {
  const { fetch } = world();
  const kept: Vcon[] = [];
  const vcon = calls({}, { duration: 3 }, {}, {});
  await transcribed({ vcon, fetch, keep: (one) => void kept.push(one) });
  expect(kept.map((one) => typesOf(one).length)).toEqual([2, 4]);
  const failing = world();
  failing.deepgram.fail({ status: 503 });
  const first = failure(transcribe({ vcon: kept[0] ?? vcon, fetch: failing.fetch }));
  expect(await first).toMatchObject({ code: "VCON_SERVICE_DOWN", retryable: true });
  const again = await transcribed({ vcon: kept[0] ?? vcon, fetch: failing.fetch });
  expect(typesOf(again)).toHaveLength(6);
  expect(failing.deepgram.requests).toHaveLength(3);
});

test("a lease that is lost while keeping ends the run", async () => {
  const { fetch, deepgram } = world();
  const keep = () => {
    throw new VconError("VCON_LEASE_LOST", "the lease moved on");
  };
  expect(await failure(transcribe({ vcon: calls({}, {}), fetch, keep }))).toMatchObject({ code: "VCON_LEASE_LOST" });
  expect(deepgram.requests).toHaveLength(1);
});

test("what it cost is reported; a report that fails costs nothing again", async () => {
  const reports: { authorization: string | null; body: unknown }[] = [];
  const { deepgram } = world();
  let status = 200;
  const usage: Service = ({ headers, text }) => {
    reports.push({ authorization: headers.get("authorization"), body: JSON.parse(text) });
    return new Response(null, { status });
  };
  const fetch = fetchFrom(routed([/deepgram/, deepgram.answer], [/usage\.example/, usage]));
  const reporting = {
    ...options,
    send_ai_usage_data_to_url: "https://usage.example/in",
    ai_usage_api_token: "canary-token",
  };
  const vcon = calls({});
  await transcribed({ vcon, fetch, options: reporting });
  expect(reports).toMatchObject([
    {
      authorization: "Bearer canary-token",
      body: {
        record_id: vcon.uuid,
        type: "VCON_PROCESSING",
        sub_type: "DEEPGRAM_TRANSCRIBE",
        unit_type: "seconds",
        input_units: 90,
        output_units: 0,
        ai_model: "nova-3",
      },
    },
  ]);
  status = 500;
  const again = await transcribed({ vcon: calls({}), fetch, options: reporting });
  expect(typesOf(again)).toHaveLength(2);
  expect(deepgram.requests).toHaveLength(2);
});

test("through LiteLLM the audio goes to its model, and the result is its text", async () => {
  const proxy = fakeTranscription({ key: "canary-master", transcript: "Hello." });
  const fetch = fetchFrom(routed([/litellm\.example/, proxy.answer], [/media\.example/, media]));
  const litellm = {
    LITELLM_PROXY_URL: "https://litellm.example/",
    LITELLM_MASTER_KEY: "canary-master",
    DEEPGRAM_KEY: KEY,
    api: { model: "nova-2", language: "de" },
  };
  const vcon = await transcribed({ vcon: calls({}), fetch, options: litellm });
  expect(proxy.requests[0]?.url.href).toBe("https://litellm.example/audio/transcriptions");
  expect(proxy.requests[0]?.text).toMatch(/name="model"\r\n\r\nnova-2\r\n/);
  expect(vcon.analysis?.[0]).toMatchObject({ vendor: "deepgram", product: "nova-2", body: '{"transcript":"Hello."}' });
  expect(transcriptFor(vcon, 0)).toMatchObject({ text: "Hello.", language: "de" });
  const { model: _, ...unnamed } = litellm.api;
  await transcribed({ vcon: calls({}), fetch, options: { ...litellm, api: unnamed } });
  expect(proxy.requests[1]?.text).toMatch(/name="model"\r\n\r\nnova-3\r\n/);
  await transcribed({ vcon: calls({}), fetch, options: { ...litellm, model: "deepgram/whisper" } });
  expect(proxy.requests[2]?.text).toMatch(/name="model"\r\n\r\ndeepgram\/whisper\r\n/);
});

test.each([
  [{}, /DEEPGRAM_KEY/],
  [{ LITELLM_PROXY_URL: "https://x.example" }, /LITELLM_MASTER_KEY/],
  [{ ...options, minimum_confidence: 2 }, /minimum_confidence/],
  [{ ...options, api: { callback: "https://x.example" } }, /callback/],
  [{ ...options, api: { redact: { x: 1 } } }, /redact/],
  [{ ...options, DEEPGRAM_URL: "ftp://x" }, /DEEPGRAM_URL/],
  [{ ...options, DEEPGRAM_KEY: "two words" }, /DEEPGRAM_KEY/],
  [{ ...options, LITELLM_MASTER_KEY: "x" }, /LITELLM_PROXY_URL/],
  [{ ...options, vendor: "deepgram" }, /vendor/],
])("the options %j are refused", (given, message) => {
  expect(() => deepgramLink.options.parse(given)).toThrow(message);
});
