import { type Heard, heardIn, wordsOf } from "./heard.ts";
import { type FakeService, fakeService, type ServiceRequest } from "./service.ts";

export interface TranscriptionFake {
  /** The one key that is accepted; any when undefined. */
  readonly key?: string;
  /** What is said; by default a sentence about the audio. */
  readonly transcript?: string | ((heard: Heard, form: FormData) => string);
  /** Name of the language as Whisper gives it; defaults to `english`. */
  readonly language?: string;
}

/**
 * `POST …/audio/transcriptions` of OpenAI, of an Azure deployment, and of what is compatible with them (LiteLLM), with
 * the documented answers, limits and errors.
 */
export function fakeTranscription(fake: TranscriptionFake = {}): FakeService {
  return fakeService(async (request) => {
    const { pathname } = request.url;
    if (request.method !== "POST" || !pathname.endsWith("/audio/transcriptions"))
      return failure(404, { message: `Invalid URL (${request.method} ${pathname})`, type: "invalid_request_error" });
    const azure = azureOf(request);
    if (!isWelcome(request, { azure, key: fake.key })) return azure ? AZURE_DENIED() : denied();
    if (request.bytes.length > LARGEST)
      return failure(413, {
        message: `413: Maximum content size limit (${LARGEST}) exceeded (${request.bytes.length} bytes read)`,
        type: "server_error",
      });
    return answerTo(await formOf(request), fake, azure?.deployment);
  });
}

/** A failure as OpenAI reports it, for `FakeService.fail`. */
export const openAiFault = (status: number, error: Failure) => ({
  status,
  body: JSON.stringify({ error: { param: null, code: null, ...error } }),
});

export interface Failure {
  readonly message: string;
  readonly type: string;
  readonly param?: string;
  readonly code?: string;
}

/** Bytes of a whole request. */
const LARGEST = 26_214_400;
/** Seconds the models other than Whisper take at a time. */
const LONGEST = 1_400;

const failure = (status: number, error: Failure): Response =>
  new Response(openAiFault(status, error).body, { status, headers: { "content-type": "application/json" } });

const denied = (): Response =>
  failure(401, {
    message:
      "Incorrect API key provided: ***. You can find your API key at https://platform.openai.com/account/api-keys.",
    type: "invalid_request_error",
    code: "invalid_api_key",
  });

const AZURE_DENIED = (): Response =>
  Response.json(
    {
      error: {
        code: "401",
        message:
          "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
      },
    },
    { status: 401 },
  );

interface Azure {
  readonly deployment: string;
}

function azureOf({ url }: ServiceRequest): Azure | undefined {
  const deployment = /\/openai\/deployments\/([^/]+)\/audio\/transcriptions$/.exec(url.pathname)?.[1];
  return deployment !== undefined && url.searchParams.has("api-version") ? { deployment } : undefined;
}

function isWelcome(
  { headers }: ServiceRequest,
  { azure, key }: { readonly azure: Azure | undefined; readonly key: string | undefined },
): boolean {
  const shown = azure ? headers.get("api-key") : /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
  return shown !== null && shown !== undefined && (key === undefined || shown === key);
}

const formOf = ({ bytes, headers }: ServiceRequest): Promise<FormData> =>
  new Response(new Uint8Array(bytes), { headers }).formData();

async function answerTo(form: FormData, fake: TranscriptionFake, deployment?: string): Promise<Response> {
  const file = form.get("file");
  if (!(file instanceof File)) return failure(400, missing("file"));
  const model = textOf(form, "model") ?? deployment;
  if (model === undefined) return failure(400, missing("model"));
  const heard = heardIn(new Uint8Array(await file.arrayBuffer()));
  if (!heard) return failure(400, UNREADABLE);
  const format = textOf(form, "response_format") ?? "json";
  const wrong = complaint({ model, format, heard, form });
  if (wrong) return failure(400, wrong);
  const { transcript = ({ seconds, bytes }: Heard) => `This is ${seconds} seconds of audio in ${bytes} bytes.` } = fake;
  const text = typeof transcript === "string" ? transcript : transcript(heard, form);
  return Response.json(answerOf({ model, format, heard, form, text, language: fake.language ?? "english" }));
}

const textOf = (form: FormData, name: string): string | undefined => {
  const value = form.get(name);
  return typeof value === "string" ? value : undefined;
};

const missing = (name: string): Failure => ({
  message: `Missing required parameter: '${name}'.`,
  type: "invalid_request_error",
  param: name,
  code: "missing_required_parameter",
});

const UNREADABLE: Failure = {
  message: "Audio file might be corrupted or unsupported",
  type: "invalid_request_error",
  param: "file",
  code: "invalid_value",
};

interface Asked {
  readonly model: string;
  readonly format: string;
  readonly heard: Heard;
  readonly form: FormData;
}

const FORMATS = {
  whisper: ["json", "verbose_json"],
  diarize: ["json", "diarized_json"],
  other: ["json"],
} as const;

const familyOf = (model: string): keyof typeof FORMATS =>
  model.includes("whisper") ? "whisper" : model.includes("diarize") ? "diarize" : "other";

function complaint({ model, format, heard, form }: Asked): Failure | undefined {
  const family = familyOf(model);
  const formats: readonly string[] = FORMATS[family];
  const refused = (param: string, message: string): Failure => ({
    message,
    type: "invalid_request_error",
    param,
    code: "unsupported_value",
  });
  if (!formats.includes(format))
    return refused("response_format", `response_format '${format}' is not compatible with model '${model}'.`);
  if (form.has("timestamp_granularities[]") && format !== "verbose_json")
    return refused("timestamp_granularities", "timestamp_granularities needs response_format 'verbose_json'.");
  if (family === "diarize" && heard.seconds > 30 && !form.has("chunking_strategy"))
    return refused("chunking_strategy", "chunking_strategy is required for diarization models.");
  if (model === "gpt-transcribe" && form.has("language"))
    return refused("language", "Use 'languages' instead of 'language' with model 'gpt-transcribe'.");
  if (family !== "whisper" && heard.seconds > LONGEST)
    return refused(
      "file",
      `audio duration ${heard.seconds} seconds is longer than ${LONGEST} seconds which is the maximum for this model`,
    );
  return undefined;
}

interface Answering extends Asked {
  readonly text: string;
  readonly language: string;
}

function answerOf({ model, format, heard, form, text, language }: Answering): object {
  const { seconds } = heard;
  const billed = { type: "duration", seconds: Math.ceil(seconds) };
  if (format === "verbose_json")
    return {
      task: "transcribe",
      language,
      duration: seconds,
      text,
      segments: [whisperSegment(text, seconds)],
      ...(form.getAll("timestamp_granularities[]").includes("word") && { words: wordsOf(text, seconds) }),
      usage: billed,
    };
  if (format === "diarized_json") {
    const segment = { type: "transcript.text.segment", id: "seg_001", start: 0, end: seconds, speaker: "A", text };
    return { task: "transcribe", duration: seconds, text, segments: [segment], usage: billed };
  }
  if (model === "gpt-transcribe")
    return { text, languages: form.getAll("languages[]").map((code) => ({ code })), usage: billed };
  return familyOf(model) === "whisper" ? { text, usage: billed } : { text, usage: tokensOf(text, seconds) };
}

const whisperSegment = (text: string, seconds: number) => ({
  id: 0,
  seek: 0,
  start: 0,
  end: seconds,
  text: ` ${text}`,
  tokens: [50_364],
  temperature: 0,
  avg_logprob: -0.1,
  compression_ratio: 1.1,
  no_speech_prob: 0.01,
});

/** Ten tokens a second, as the models count audio. */
function tokensOf(text: string, seconds: number) {
  const [audio_tokens, output_tokens] = [Math.round(seconds * 10), Math.ceil(text.length / 4)];
  return {
    type: "tokens",
    input_tokens: audio_tokens,
    input_token_details: { text_tokens: 0, audio_tokens },
    output_tokens,
    total_tokens: audio_tokens + output_tokens,
  };
}
