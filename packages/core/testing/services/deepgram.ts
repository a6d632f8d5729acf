import { createHash } from "node:crypto";
import { type Heard, heardIn, wordsOf } from "./heard.ts";
import { type FakeService, fakeService, type ServiceRequest } from "./service.ts";

/** What a fake Deepgram transcribes: audio it was sent, or an address it would fetch. */
export interface DeepgramSource extends Heard {
  /** Where the recording is, when no audio was sent. */
  readonly url?: string;
}

export interface DeepgramFake {
  /** The one key that is accepted; any when undefined, and null for a Deepgram of one's own that asks for none. */
  readonly key?: string | null;
  /** What is said in every channel; by default a sentence about the audio. */
  readonly transcript?: string | ((source: DeepgramSource) => string);
  /** 0 to 1; defaults to 0.98. */
  readonly confidence?: number;
  /** Language that `detect_language` finds; defaults to `en`. */
  readonly language?: string;
  /** Seconds of recordings behind an address; defaults to 90. */
  readonly seconds?: number;
}

/** Deepgram's `POST /v1/listen` for recordings, with its documented answers and errors. Fetches nothing. */
export function fakeDeepgram(fake: DeepgramFake = {}): FakeService {
  return fakeService((request) => {
    if (request.method !== "POST" || !request.url.pathname.endsWith("/v1/listen"))
      return failure(404, "NOT_FOUND", "The requested resource was not found.");
    const key = /^Token (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (fake.key !== null && (key === undefined || key !== (fake.key ?? key)))
      return failure(401, "INVALID_AUTH", "Invalid credentials.");
    const source = sourceOf(request, fake);
    return source instanceof Response ? source : Response.json(answerOf(source, request.url.searchParams, fake));
  });
}

/** A failure as Deepgram reports it, for `FakeService.fail`. */
export const deepgramFault = (status: number, err_code: string, err_msg: string) => ({
  status,
  body: JSON.stringify({ err_code, err_msg, request_id: REQUEST }),
});

const REQUEST = "7a2b6c1e-0f3d-4c57-9a51-2f6a1f0b9d10";
const MODEL = "30089e05-99d1-4376-b32e-c263170674af";

const failure = (status: number, code: string, message: string): Response => {
  const { body } = deepgramFault(status, code, message);
  return new Response(body, { status, headers: { "content-type": "application/json" } });
};

function sourceOf({ headers, bytes, text }: ServiceRequest, { seconds = 90 }: DeepgramFake): DeepgramSource | Response {
  const type = headers.get("content-type") ?? "";
  if (!type.startsWith("application/json"))
    return (
      heardIn(bytes) ?? failure(400, "Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data")
    );
  const url = urlIn(text);
  if (url === undefined)
    return failure(400, "Bad Request", "Content-type was application/json, but we could not process the JSON payload.");
  return { url, bytes: 0, sha256: createHash("sha256").update(url).digest("hex"), seconds, channels: 1 };
}

function urlIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const url = typeof body === "object" && body !== null && "url" in body ? body.url : undefined;
    return typeof url === "string" && URL.canParse(url) ? url : undefined;
  } catch {
    return undefined;
  }
}

/** A sentence that is the same for the same audio. */
function sentenceAbout({ url, bytes, seconds }: DeepgramSource): string {
  if (url === undefined) return `This is ${seconds} seconds of audio in ${bytes} bytes.`;
  return `This is the recording ${new URL(url).pathname} of ${new URL(url).hostname}.`;
}

function answerOf(source: DeepgramSource, query: URLSearchParams, fake: DeepgramFake) {
  const { transcript = sentenceAbout } = fake;
  const text = typeof transcript === "string" ? transcript : transcript(source);
  const heard = { text, query, seconds: source.seconds, confidence: fake.confidence ?? 0.98 };
  const channels = isOn(query, "multichannel") ? source.channels : 1;
  const model = query.get("model") ?? "base";
  return {
    metadata: {
      transaction_key: "deprecated",
      request_id: REQUEST,
      sha256: source.sha256,
      created: "2026-01-02T03:04:05.000Z",
      duration: source.seconds,
      channels,
      models: [MODEL],
      model_info: { [MODEL]: { name: model, version: "2026-01-01.0", arch: model.split("-")[0] } },
    },
    results: {
      channels: Array.from({ length: channels }, () => ({
        ...(isOn(query, "detect_language") && { detected_language: fake.language ?? "en", language_confidence: 0.99 }),
        alternatives: [alternativeOf(heard)],
      })),
      ...(isOn(query, "utterances") && {
        utterances: Array.from({ length: channels }, (_, channel) => utteranceOf(heard, channel)),
      }),
    },
  };
}

interface Said {
  readonly text: string;
  readonly seconds: number;
  readonly confidence: number;
  readonly query: URLSearchParams;
}

const isOn = (query: URLSearchParams, feature: string): boolean => query.get(feature) === "true";

function alternativeOf({ text, seconds, confidence, query }: Said) {
  const words = saidWords({ text, seconds, confidence, query });
  const wanted = isOn(query, "paragraphs") || isOn(query, "smart_format");
  const sentence = { text, start: 0, end: words.at(-1)?.end ?? 0 };
  const paragraph = { sentences: [sentence], num_words: words.length, start: 0, end: sentence.end };
  const spoken = isOn(query, "diarize") ? { ...paragraph, speaker: 0 } : paragraph;
  const paragraphs = { transcript: `\n${text}`, paragraphs: text === "" ? [] : [spoken] };
  return { transcript: text, confidence, words, ...(wanted && { paragraphs }) };
}

const saidWords = ({ text, seconds, confidence, query }: Said) =>
  wordsOf(text, seconds).map(({ word, ...times }) => ({
    word: word.toLowerCase().replace(/[.,!?]+$/, ""),
    ...times,
    confidence,
    ...(isOn(query, "diarize") && { speaker: 0, speaker_confidence: 0.9 }),
    ...((isOn(query, "punctuate") || isOn(query, "smart_format")) && { punctuated_word: word }),
  }));

const utteranceOf = (said: Said, channel: number) => ({
  start: 0,
  end: said.seconds,
  confidence: said.confidence,
  channel,
  transcript: said.text,
  words: saidWords(said),
  ...(isOn(said.query, "diarize") && { speaker: 0 }),
  id: `00000000-0000-4000-8000-00000000000${channel}`,
});
