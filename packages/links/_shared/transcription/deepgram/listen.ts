import { readJson, readStart, serviceFailure, VconError, withinTime } from "@vcon-server/core";
import { z } from "zod";
import { badMedia } from "../bad-media.ts";
import type { Answer, ServiceCall, Transcriber } from "../transcriber.ts";
import { readListened } from "./answer.ts";
import { type DeepgramOptions, shownOptions } from "./options.ts";

/** Bytes an answer may have: words with times of a day of speech. */
const LARGEST_ANSWER = 67_108_864;
const LARGEST_FAILURE = 65_536;

/** Deepgram itself: `POST /v1/listen`. */
export function listener(options: DeepgramOptions, fetch: typeof globalThis.fetch): Transcriber {
  const model = String(options.api["model"] ?? options.model ?? "nova-3");
  const url = listenUrl(options, model);
  const { host } = new URL(url);
  const authorization = options.DEEPGRAM_KEY === undefined ? undefined : `Token ${options.DEEPGRAM_KEY}`;

  async function listen(sent: Sent, { what, clock, signal }: ServiceCall): Promise<Answer> {
    const doing = `transcribing ${what} with ${host}`;
    const headers = { "content-type": sent.type, ...(authorization !== undefined && { authorization }) };
    const limit = { doing, seconds: options.timeout_secs, clock, signal };
    const answer = await withinTime(limit, async (within) => {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body: sent.body,
        redirect: "manual",
        signal: within,
      });
      if (!response.ok) throw await failureOf(response, { doing, now: clock.now(), key: options.DEEPGRAM_KEY });
      return readJson(response, LARGEST_ANSWER, doing);
    });
    const read = readListened(answer, languageOf(options));
    if (!read)
      throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer holds no transcript; it is tried again`);
    return read;
  }

  return {
    vendor: "deepgram",
    model,
    work: "DEEPGRAM_TRANSCRIBE",
    shown: shownOptions(options),
    ofUrl: (address, call) => listen({ body: JSON.stringify({ url: address }), type: "application/json" }, call),
    ofAudio: ({ bytes, mediatype }, call) => listen({ body: bytes, type: mediatype }, call),
  };
}

interface Sent {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** The address with every parameter of `api`; lists are repeated, as Deepgram wants them. */
export function listenUrl({ DEEPGRAM_URL, api }: Pick<DeepgramOptions, "DEEPGRAM_URL" | "api">, model: string): string {
  const query = new URLSearchParams({ model });
  for (const [name, value] of Object.entries(api)) {
    if (name === "model") continue;
    for (const one of [value].flat()) query.append(name, String(one));
  }
  return `${DEEPGRAM_URL.replace(/\/+$/, "")}/v1/listen?${query}`;
}

/** The language that was asked for; `multi` is none. */
export function languageOf({ api }: Pick<DeepgramOptions, "api">): string | undefined {
  const { language } = api;
  return typeof language === "string" && language !== "multi" ? language : undefined;
}

interface Failed {
  readonly doing: string;
  readonly now: number;
  readonly key: string | undefined;
}

const FAILURE = z.object({
  err_code: z.string().optional(),
  err_msg: z.string().optional(),
  category: z.string().optional(),
  message: z.string().optional(),
});

/** Deepgram says by its text whether the request or the recording was at fault. */
const ABOUT_MEDIA = /REMOTE_CONTENT_ERROR|failed to process audio|publicly routable|unsupported data/i;

async function failureOf(response: Response, { doing, now, key }: Failed): Promise<VconError> {
  const { status, headers } = response;
  const { code, said } = saidIn(await readStart(response, LARGEST_FAILURE), key);
  if (code === "ASR_UNPROCESSABLE_ENTITY")
    return new VconError("VCON_SERVICE_DOWN", `${doing}: the audio did not arrive as a whole; it is sent again`);
  if (status === 400 && ABOUT_MEDIA.test(`${code} ${said}`))
    return badMedia(
      `${doing}: it cannot read the recording (${said}); check whether it is there and is audio`,
      code === "REMOTE_CONTENT_ERROR" ? { isUnreachable: true } : {},
    );
  const remedy = status === 401 || status === 403 ? "check DEEPGRAM_KEY and its rights" : "check the parameters in api";
  return serviceFailure({ status, headers, ...(said !== "" && { said }) }, { doing, now, remedy });
}

function saidIn(bytes: Uint8Array, key: string | undefined): { readonly code: string; readonly said: string } {
  const parsed = FAILURE.safeParse(jsonIn(bytes));
  const { err_code, category, err_msg, message } = parsed.data ?? {};
  return { code: err_code ?? category ?? "", said: harmless(err_msg ?? message ?? "", key) };
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // a gateway in between speaks another format
    return undefined;
  }
}

/** Addresses may carry signatures, and a service may repeat the key. */
const harmless = (text: string, key: string | undefined): string =>
  (key === undefined ? text : text.replaceAll(key, "***")).replace(/https?:\/\/\S+/gi, "an address");
