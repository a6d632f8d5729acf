import { expect, test } from "vitest";
import { deepgramFault, fakeDeepgram } from "./deepgram.ts";
import { fetchFrom } from "./index.ts";
import { fakeTranscription, openAiFault } from "./openai-audio.ts";

/** A second of silence: WAV, 8 kHz, 8 bits. */
function second(): Uint8Array<ArrayBuffer> {
  const file = Buffer.alloc(44 + 8_000, 0x80);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(36 + 8_000, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    file.writeUInt16LE(value, at);
  for (const [at, value] of [
    [24, 8_000],
    [28, 8_000],
    [40, 8_000],
  ] as const)
    file.writeUInt32LE(value, at);
  file.write("data", 36, "latin1");
  return new Uint8Array(file);
}

const listen = (fake: ReturnType<typeof fakeDeepgram>, init: RequestInit, query = "") =>
  fetchFrom(fake.answer)(`https://api.deepgram.com/v1/listen?${query}`, { method: "POST", ...init });

const token = (key = "k") => ({ authorization: `Token ${key}` });

test("Deepgram speaks about the audio it gets, the same every time", async () => {
  const fake = fakeDeepgram();
  const init = { headers: { ...token(), "content-type": "audio/wav" }, body: second() };
  const query = "model=nova-3&diarize=true&smart_format=true&utterances=true&detect_language=true";
  const answers = [await (await listen(fake, init, query)).json(), await (await listen(fake, init, query)).json()];
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]).toMatchObject({
    metadata: { duration: 1, channels: 1, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    results: {
      channels: [
        {
          detected_language: "en",
          alternatives: [
            {
              transcript: "This is 1 seconds of audio in 8044 bytes.",
              words: expect.arrayContaining([expect.objectContaining({ word: "bytes", speaker: 0, end: 1 })]),
              paragraphs: { paragraphs: [{ speaker: 0 }] },
            },
          ],
        },
      ],
      utterances: [{ channel: 0, end: 1 }],
    },
  });
});

test.each([
  [{ headers: { authorization: "Token wrong" } }, 401, "INVALID_AUTH"],
  [{ headers: {} }, 401, "INVALID_AUTH"],
  [{ headers: token("right"), body: "hello" }, 400, "Bad Request"],
  [{ headers: { ...token("right"), "content-type": "application/json" }, body: "{}" }, 400, "Bad Request"],
])("Deepgram refuses %j with %i %s", async (init, status, err_code) => {
  const answer = await listen(fakeDeepgram({ key: "right" }), init);
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ err_code, err_msg: expect.any(String), request_id: expect.any(String) });
});

test("a fault is told in the service's own words, once", async () => {
  const fake = fakeDeepgram();
  fake.fail(deepgramFault(402, "ASR_PAYMENT_REQUIRED", "No credits."));
  const init = {
    headers: { ...token(), "content-type": "application/json" },
    body: '{"url":"https://x.example/a.wav"}',
  };
  expect((await listen(fake, init)).status).toBe(402);
  expect((await listen(fake, init)).status).toBe(200);
});

function form(fields: Readonly<Record<string, string>>, file: Uint8Array<ArrayBuffer> = second()): FormData {
  const filled = new FormData();
  filled.set("file", new File([file], "a.wav"));
  for (const [name, value] of Object.entries(fields)) filled.append(name, value);
  return filled;
}

const OPENAI = "https://api.openai.com/v1/audio/transcriptions";
const AZURE = "https://a.example/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21";
const bearer = { authorization: "Bearer right" };

const transcribe = (init: RequestInit, url = OPENAI) =>
  fetchFrom(fakeTranscription({ key: "right" }).answer)(url, { method: "POST", headers: bearer, ...init });

test.each([
  [{ model: "gpt-4o-transcribe" }, { usage: { type: "tokens", input_tokens: 10 } }],
  [
    { model: "whisper-1", response_format: "verbose_json" },
    { language: "english", duration: 1, segments: [{ end: 1 }] },
  ],
  [{ model: "gpt-4o-transcribe-diarize", response_format: "diarized_json" }, { segments: [{ speaker: "A" }] }],
  [
    { model: "gpt-transcribe", "languages[]": "de" },
    { languages: [{ code: "de" }], usage: { type: "duration" } },
  ],
])("the transcription of %j is in its documented form", async (fields, answer) => {
  expect(await (await transcribe({ body: form(fields) })).json()).toMatchObject({
    text: "This is 1 seconds of audio in 8044 bytes.",
    ...answer,
  });
});

test.each([
  [{ model: "gpt-4o-transcribe", response_format: "verbose_json" }, "response_format"],
  [{ model: "whisper-1", "timestamp_granularities[]": "word" }, "timestamp_granularities"],
  [{ model: "gpt-transcribe", language: "de" }, "language"],
  [{}, "model"],
])("what a model does not take is refused: %j", async (fields, param) => {
  const answer = await transcribe({ body: form(fields) });
  expect([answer.status, await answer.json()]).toMatchObject([
    400,
    { error: { param, type: "invalid_request_error" } },
  ]);
});

test("an Azure deployment is its model, with a key of its own and errors of its own", async () => {
  const good = await transcribe({ body: form({}), headers: { "api-key": "right" } }, AZURE);
  expect(await good.json()).toHaveProperty("text");
  const wrong = await transcribe({ body: form({}), headers: { "api-key": "wrong" } }, AZURE);
  expect([wrong.status, await wrong.json()]).toMatchObject([401, { error: { code: "401" } }]);
});

test("a wrong key, no audio and too large a file are told as OpenAI tells them", async () => {
  const wrong = await transcribe({ body: form({ model: "whisper-1" }), headers: { authorization: "Bearer x" } });
  expect([wrong.status, await wrong.json()]).toMatchObject([401, { error: { code: "invalid_api_key" } }]);
  const text = await transcribe({ body: form({ model: "whisper-1" }, new TextEncoder().encode("hello")) });
  expect([text.status, await text.json()]).toMatchObject([400, { error: { param: "file" } }]);
  const large = await transcribe({ body: form({ model: "whisper-1" }, new Uint8Array(26_214_400)) });
  expect(large.status).toBe(413);
  expect(openAiFault(500, { message: "x", type: "server_error" })).toMatchObject({ status: 500 });
});
