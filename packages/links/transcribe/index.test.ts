import { VconError } from "@vcon-server/core";
import { compile, createRegistry, factsOf } from "@vcon-server/core/config";
import { fetchFrom, serve } from "@vcon-server/core/testing";
import { fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import {
  fakeTranscription,
  openAiFault,
  type TranscriptionFake,
} from "@vcon-server/core/testing/services/openai-audio";
import { encodeBase64url, transcriptFor, type Vcon } from "@vcon-server/vcon";
import { beforeAll, expect, test } from "vitest";
import { encodedTone, wav } from "../_shared/transcription/testing/sounds.ts";
import transcribe from "./index.ts";
import { calls, chunked, formsOf, KEY, LONG, openAi, SOUND, transcribed, world } from "./testing/world.ts";

/** The failure, after looking whether it tells a secret. */
async function failure(running: Promise<unknown>): Promise<VconError> {
  const error: unknown = await running.then(
    () => "nothing failed",
    (reason: unknown) => reason,
  );
  if (!(error instanceof VconError)) throw error;
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    expect(`${at.message} ${JSON.stringify(at)}`).not.toContain("canary");
  return error;
}

const typesOf = ({ analysis = [] }: Vcon) => analysis.map(({ type, dialog }) => `${type} ${dialog}`);
const bodyOf = ({ analysis = [] }: Vcon, at = 0): unknown => JSON.parse(String(analysis[at]?.body));

test("OpenAI gets the audio of a recording, and its answer is kept beside the normalised one", async () => {
  const { fetch, openai } = world();
  const vcon = await transcribed({ fetch });
  expect(openai.requests[0]?.url.href).toBe("https://api.openai.com/v1/audio/transcriptions");
  expect(await formsOf(openai)).toEqual([
    { file: "audio.wav audio/wav", model: "gpt-4o-transcribe", response_format: "json" },
  ]);
  const said = `This is 20 seconds of audio in ${SOUND.length} bytes.`;
  expect(vcon.analysis).toMatchObject([
    { type: "transcript", dialog: 0, vendor: "openai", product: "gpt-4o-transcribe", encoding: "json" },
    { type: "wtf_transcription", dialog: 0, vendor: "openai", product: "gpt-4o-transcribe" },
  ]);
  expect(bodyOf(vcon)).toMatchObject({ text: said, usage: { type: "tokens", input_tokens: 200 } });
  expect(bodyOf(vcon, 1)).toMatchObject({ segments: [{ id: 0, start: 0, end: 20, text: said }] });
  expect(vcon.dialog?.[0]?.duration).toBe(20);
  expect(JSON.stringify(vcon.analysis)).not.toContain("canary");
});

test.each([
  [
    { model: "whisper-1" },
    "whisper-1",
    { response_format: "verbose_json", "timestamp_granularities[]": ["word", "segment"] },
  ],
  [{ diarize: true }, "gpt-4o-transcribe-diarize", { response_format: "diarized_json", chunking_strategy: "auto" }],
  [{ model: "gpt-4o-transcribe-diarize" }, "gpt-4o-transcribe-diarize", { response_format: "diarized_json" }],
  [{ model: "gpt-4o-transcribe", language: "de" }, "gpt-4o-transcribe", { language: "de", response_format: "json" }],
  [{ model: "gpt-transcribe", language: "de" }, "gpt-transcribe", { "languages[]": "de", response_format: "json" }],
  [{ prompt: "Names", temperature: 0.2 }, "gpt-4o-transcribe", { prompt: "Names", temperature: "0.2" }],
  [{ model: "whisper-1", response_format: "json" }, "whisper-1", { response_format: "json" }],
])("with %j the model %s gets what it takes", async (options, model, sent) => {
  const { fetch, openai } = world();
  const vcon = await transcribed({ fetch, options: openAi(options) });
  expect((await formsOf(openai))[0]).toMatchObject({ model, ...sent });
  expect(vcon.analysis?.[1]).toMatchObject({ product: model });
  expect(transcriptFor(vcon, 0)?.segments[0]).toMatchObject({ start: 0, end: 20 });
});

test("words and speakers reach the normalised transcript, the language by its code", async () => {
  const { fetch } = world();
  const whisper = await transcribed({ fetch, options: openAi({ model: "whisper-1" }) });
  expect(bodyOf(whisper, 1)).toMatchObject({ transcript: { language: "en", duration: 20 } });
  expect(transcriptFor(whisper, 0)?.segments[0]?.words?.length).toBeGreaterThan(3);
  const diarized = await transcribed({ fetch, options: openAi({ diarize: true }) });
  expect(transcriptFor(diarized, 0)?.segments[0]).toMatchObject({ speaker: "A" });
});

test("an Azure deployment, a LiteLLM proxy and any other compatible service are reached as they want", async () => {
  const azure = world({ key: "az-canary" });
  const deployment = {
    AZURE_OPENAI_ENDPOINT: "https://mine.openai.azure.com/",
    AZURE_OPENAI_API_KEY: "az-canary",
    model: "hear",
  };
  await transcribed({ fetch: azure.fetch, options: { vendor: "openai", vendor_options: deployment } });
  expect(azure.openai.requests[0]?.url.href).toBe(
    "https://mine.openai.azure.com/openai/deployments/hear/audio/transcriptions?api-version=2024-10-21",
  );
  const own = world({});
  const local = { OPENAI_BASE_URL: "http://localhost:8000/v1", model: "Systran/faster-whisper-small" };
  const vcon = await transcribed({ fetch: own.fetch, options: { vendor: "openai", transcribe_options: local } });
  expect(own.openai.requests[0]?.url.href).toBe("http://localhost:8000/v1/audio/transcriptions");
  expect(vcon.analysis?.[0]).toMatchObject({ vendor: "openai", product: "Systran/faster-whisper-small" });
  const proxy = { LITELLM_PROXY_URL: "http://litellm:4000", LITELLM_MASTER_KEY: "canary-x" };
  const litellm = world({ key: "canary-x" });
  await transcribed({ fetch: litellm.fetch, options: { vendor: "openai", vendor_options: proxy } });
  expect(litellm.openai.requests[0]?.url.href).toBe("http://litellm:4000/audio/transcriptions");
});

test("vendor deepgram takes the options of deepgram_link", async () => {
  const deepgram = fakeDeepgram();
  const options = { vendor: "deepgram", vendor_options: { DEEPGRAM_KEY: KEY, minimum_duration: 5 } };
  const vcon = await transcribed({ fetch: fetchFrom(deepgram.answer), options, vcon: calls({ duration: 90 }) });
  expect(vcon.analysis?.[0]).toMatchObject({ vendor: "deepgram" });
});

test("a transcript that is longer than a day of speech is an answer of no use, and is not asked for again", async () => {
  const deepgram = fakeDeepgram({ transcript: "x".repeat(2_000_001) });
  const options = { vendor: "deepgram", vendor_options: { DEEPGRAM_KEY: KEY, minimum_duration: 5 } };
  const failed = transcribed({ fetch: fetchFrom(deepgram.answer), options, vcon: calls({ duration: 90 }) });
  await expect(failed).rejects.toMatchObject({
    code: "VCON_SERVICE_ANSWER",
    retryable: false,
    message: expect.stringContaining("transcribing dialog 0: deepgram answers 2000001 characters"),
  });
});

test("a long recording is cut in its silences; times are those of the whole", async () => {
  const { fetch, openai } = world({ transcript: ({ seconds }) => `${Math.round(seconds)} seconds` }, LONG);
  const vcon = await transcribed({ fetch, options: chunked({ model: "whisper-1" }) });
  expect((await formsOf(openai)).map(({ file }) => file)).toEqual(
    Array.from({ length: 4 }, () => "audio.mp3 audio/mpeg"),
  );
  const transcript = transcriptFor(vcon, 0);
  expect(transcript?.text).toMatch(/^1\d seconds 1\d seconds \d seconds 2 seconds$/);
  const starts = transcript?.segments.map(({ start = -1 }) => Math.round(start * 10) / 10);
  expect(starts).toEqual([0, 9.5, 21, 30]);
  expect(transcript?.segments[1]?.words?.[0]?.start).toBeCloseTo(9.5, 1);
  expect(bodyOf(vcon)).toMatchObject({ chunked_transcription: { total_chunks: 4 }, usage: { type: "duration" } });
  expect(vcon.dialog?.[0]?.duration).toBe(32);
});

test("pieces that are paid for are kept: the one that fails does not cost the others again", async () => {
  const fake: TranscriptionFake = { transcript: ({ seconds }) => `${Math.round(seconds)} seconds` };
  const whole = await transcribed({ fetch: world(fake, LONG).fetch, options: chunked() });
  const { openai, fetch } = world(fake, LONG);
  const vcon = calls({});
  const kept: Vcon[] = [];
  const keep = (one: Vcon) => {
    kept.push(one);
    if (kept.length === 2) openai.fail(TOO_MANY);
  };
  const limited = await failure(transcribed({ fetch, vcon, options: chunked(), keep }));
  expect(limited).toMatchObject({ code: "VCON_SERVICE_QUOTA", retryAfterSecs: 20 });
  expect(kept.map(typesOf)).toEqual([["transcript_partial 0"], ["transcript_partial 0"]]);
  const resumed = kept[1] ?? vcon;
  expect(transcriptFor(resumed, 0)).toBeUndefined();
  const done = await transcribed({ fetch, vcon: resumed, options: chunked() });
  // two pieces, one refusal, and the two that were left
  expect(openai.requests).toHaveLength(5);
  expect(typesOf(done)).toEqual(["transcript 0", "wtf_transcription 0"]);
  expect(done.analysis?.[0]?.body).toBe(whole.analysis?.[0]?.body);
});

const TOO_MANY = {
  ...openAiFault(429, { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" }),
  headers: { "retry-after": "20" },
};

let large: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  large = await encodedTone(300, ["wav", "-ar", "48000", "-c:a", "pcm_s16le"]);
});

test("a recording that is short but too large for the service is sent in another format", async () => {
  expect(large.length).toBeGreaterThan(25_000_000);
  const { fetch, openai } = world({}, large);
  const vcon = await transcribed({ fetch });
  expect(await formsOf(openai)).toMatchObject([{ file: "audio.mp3 audio/mpeg" }]);
  expect(bodyOf(vcon)).not.toHaveProperty("chunked_transcription");
});

test("ffmpeg is needed for long recordings only, and named where it is missing", async () => {
  const without = chunked({ ffmpeg_path: "/nowhere/ffmpeg", max_chunk_duration: 21 });
  await transcribed({ fetch: world().fetch, options: without });
  const error = await failure(transcribed({ fetch: world(undefined, LONG).fetch, options: without }));
  expect(error).toMatchObject({ code: "VCON_PLUGIN_MISSING", retryable: false });
  expect(error.message).toContain("ffmpeg_path");
});

test.each([
  [{ status: 401 }, "VCON_SERVICE_CREDENTIALS", false],
  [
    openAiFault(429, {
      message: "You exceeded your current quota",
      type: "insufficient_quota",
      code: "insufficient_quota",
    }),
    "VCON_SERVICE_QUOTA",
    true,
  ],
  [{ status: 500 }, "VCON_SERVICE_DOWN", true],
  [
    openAiFault(400, { message: "Unknown model", type: "invalid_request_error", code: "x" }),
    "VCON_SERVICE_REFUSED",
    false,
  ],
  [
    openAiFault(400, {
      message: "Audio file might be corrupted or unsupported",
      type: "invalid_request_error",
      param: "file",
    }),
    "VCON_MEDIA_UNUSABLE",
    false,
  ],
  [
    openAiFault(400, { message: "Invalid file format. Supported formats: ['flac']", type: "invalid_request_error" }),
    "VCON_MEDIA_UNUSABLE",
    false,
  ],
  [{ status: 200, body: "{}" }, "VCON_SERVICE_ANSWER", true],
  [{ status: 200, body: "not JSON" }, "VCON_SERVICE_ANSWER", true],
  ["cut", "VCON_SERVICE_DOWN", true],
] as const)("%j is %s", async (fault, code, retryable) => {
  const { fetch, openai } = world();
  openai.fail(fault);
  const error = await failure(transcribed({ fetch }));
  expect(error).toMatchObject({ code, retryable });
  expect(error.message).toContain("transcribing dialog 0 with gpt-4o-transcribe");
});

test("a wrong key is the service's own refusal, at OpenAI and at Azure", async () => {
  const { fetch } = world({ key: "another" });
  expect(await failure(transcribed({ fetch }))).toMatchObject({ code: "VCON_SERVICE_CREDENTIALS" });
  const azure = { AZURE_OPENAI_ENDPOINT: "https://mine.openai.azure.com/", AZURE_OPENAI_API_KEY: "az-canary" };
  const error = await failure(transcribed({ fetch, options: { vendor: "openai", vendor_options: azure } }));
  expect(error).toMatchObject({ code: "VCON_SERVICE_CREDENTIALS" });
});

test("silence is a result, too: it is not paid for again", async () => {
  const { fetch, openai } = world({ transcript: "" });
  const silent = await transcribed({ fetch });
  expect(typesOf(silent)).toEqual(["transcript 0", "wtf_transcription 0"]);
  expect(await transcribed({ fetch, vcon: silent })).toBe(silent);
  expect(openai.requests).toHaveLength(1);
});

test("a recording under three seconds is left alone", async () => {
  const body = encodeBase64url(wav({ seconds: 2.5 }));
  const { fetch, openai } = world();
  const vcon = await transcribed({ fetch, vcon: calls({ body, encoding: "base64url" }, { duration: 2 }) });
  expect(vcon.dialog?.map(({ duration }) => duration)).toEqual([2.5, 2]);
  expect(openai.requests).toEqual([]);
});

test("over a real connection", async () => {
  const served = await serve(fakeTranscription({ key: KEY }).answer);
  const body = encodeBase64url(SOUND);
  const vcon = await transcribed({
    fetch: globalThis.fetch,
    vcon: calls({ body, encoding: "base64url" }),
    options: openAi({ OPENAI_BASE_URL: `${served.url}/v1` }),
  });
  expect(transcriptFor(vcon, 0)?.text).toContain("20 seconds");
  await served.close();
});

/** What the linter says about a link with these options, and the configuration as it is shown. */
async function lint(options: object) {
  const link = [{ name: "transcribe", aliases: [], load: async () => ({ default: transcribe }) }];
  const registry = createRegistry({ link, storage: [], tracer: [] });
  const one = { module: "links.transcribe", options };
  const text = JSON.stringify({ chains: { a: { links: ["one"] } }, links: { one } });
  const { plan, findings } = await compile({ text, file: "/config.yml", env: {}, registry });
  const said = findings.map(({ code, path, message, remedy }) => `${code} ${path} ${message}; ${remedy}`);
  return { said, shown: JSON.stringify(plan?.shown) };
}

test.each([
  [{ vendor_options: {} }, /REQUIRED links\.one\.options vendor is missing/],
  [{ vendor: "groq" }, /options\.vendor there is no vendor "groq": there are deepgram and openai; reach Groq by/],
  [{ vendor: "hugging_face" }, /there is no vendor "hugging_face"/],
  [{ vendor: "whisper_builtin" }, /a Whisper of your own/],
  [{ vendor: "openai" }, /vendor_options has no complete credentials: set OPENAI_API_KEY/],
  [
    { vendor: "openai", vendor_options: { OPENAI_API_KEY: "x", modell: "y" } },
    /UNKNOWN_KEY links\.one\.options\.vendor_options\.modell.*did you mean model/,
  ],
  [
    { vendor: "openai", transcribe_options: { api_key: "x", modell: "y" } },
    /UNKNOWN_KEY links\.one\.options\.transcribe_options\.modell/,
  ],
  [
    { vendor: "deepgram", vendor_options: { DEEPGRAM_KEY: "x", language: "de" } },
    /vendor_options\.language belongs to vendor openai, not to deepgram/,
  ],
  [{ vendor: "deepgram", vendor_options: { DEEPGRAM_KEY: 7 } }, /vendor_options\.DEEPGRAM_KEY must be a text/],
  [
    { vendor: "openai", vendor_options: { api_key: "x", diarize: true, model: "whisper-1" } },
    /model cannot tell speakers apart/,
  ],
  [{ vendor: "openai", vendor_options: { api_key: "x" }, vendors: 1 }, /UNKNOWN_KEY links\.one\.options\.vendors/],
])("the linter says what is wrong with %j", async (options, says) => {
  const { said } = await lint(options);
  expect(said.join("\n")).toMatch(says);
});

test.each(["vendor_options", "transcribe_options"])(
  "good %s have no findings, and are shown without secrets",
  async (name) => {
    const options = { OPENAI_API_KEY: KEY, ai_usage_api_token: "canary", model: "whisper-1" };
    const openai = await lint({ vendor: "openai", [name]: options });
    expect(openai.said).toEqual([]);
    expect(openai.shown).toContain("whisper-1");
    expect(openai.shown).not.toContain("canary");
    const deepgram = await lint({ vendor: "deepgram", [name]: { DEEPGRAM_KEY: "canary" } });
    expect(deepgram.said).toEqual([]);
    expect(deepgram.shown).not.toContain("canary");
  },
);

test("services in the vendor's options are marked as such, so that they may be on a private network", () => {
  const marks = JSON.stringify(factsOf(transcribe.options).properties);
  for (const name of ["OPENAI_BASE_URL", "DEEPGRAM_URL", "AZURE_OPENAI_ENDPOINT", "LITELLM_PROXY_URL"])
    expect(marks.match(new RegExp(`"${name}":\\{[^}]*"service":true`, "g"))).toHaveLength(2);
});
