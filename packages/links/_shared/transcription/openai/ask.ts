import { VconError } from "@vcon-server/core";
import type { Ai } from "@vcon-server/services/ai";
import { type Json, type Transcript, transcriptIn } from "@vcon-server/vcon";
import { z } from "zod";
import { badMedia } from "../bad-media.ts";
import type { Audio, Paid, ServiceCall } from "../transcriber.ts";
import { languageCode } from "./language-code.ts";
import type { AnswerFormat } from "./options.ts";

/** Parameters of `POST …/audio/transcriptions` besides the file. */
export interface Parameters {
  readonly model: string;
  readonly response_format?: AnswerFormat;
  readonly language?: string | undefined;
  readonly languages?: readonly string[];
  readonly prompt?: string | undefined;
  readonly temperature?: number | undefined;
  readonly timestamp_granularities?: readonly ("word" | "segment")[];
  readonly chunking_strategy?: "auto";
}

export interface Question {
  readonly ai: Ai;
  readonly doing: string;
  readonly audio: Pick<Audio, "bytes" | "mediatype" | "extension">;
  readonly parameters: Parameters;
}

/** One answer of the service. */
export interface Heard {
  readonly body: Record<string, Json>;
  readonly transcript: Transcript;
  readonly usage: Paid | undefined;
}

/** Before its first form the client asks an empty `data:` address what an answer is; that is no business of the network. */
export const formFetch =
  (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  async (input, init) =>
    input === "data:," ? new Response("") : fetch(input, init);

/** One request. The file goes out under a name that says nothing but its format. */
export async function askForTranscript(
  { ai, doing, audio, parameters }: Question,
  { signal, clock }: ServiceCall,
): Promise<Heard> {
  const answer = await ai.call<unknown>(doing, { signal, clock }, (client, within) => {
    const { languages, timestamp_granularities, ...plain } = parameters;
    const file = new File([audio.bytes], `audio.${audio.extension}`, { type: audio.mediatype });
    const lists = {
      ...(languages && { languages: [...languages] }),
      ...(timestamp_granularities && { timestamp_granularities: [...timestamp_granularities] }),
    };
    return client.audio.transcriptions
      .create({ ...known(plain), ...lists, file }, { signal: within })
      .catch((error) => {
        throw aboutMedia(error) ? badMedia(`${doing}: it cannot read the recording; check that it is audio`) : error;
      });
  });
  const heard = readAnswer(answer, parameters.language ?? parameters.languages?.[0]);
  if (!heard) throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer holds no transcript; it is tried again`);
  return heard;
}

/** The members that have a value: `undefined` is not left out of a form everywhere. */
function known<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Whether a refusal is about the file rather than about the request. */
function aboutMedia(error: unknown): boolean {
  if (!(error instanceof Error) || !("status" in error) || error.status !== 400) return false;
  const param = "param" in error ? error.param : undefined;
  return param === "file" || /audio file|file format|could not be decoded/i.test(error.message);
}

/** Null stands for what is not said. */
const AMOUNT = z.number().min(0).nullish();

const USAGE = z.union([
  z.object({ type: z.literal("tokens"), input_tokens: z.number().min(0), output_tokens: AMOUNT }),
  z.object({ type: z.literal("duration"), seconds: z.number().min(0) }),
]);

/** Members beside the transcript; one that is null or of another type is as if it were not there. */
const BESIDE = z.looseObject({
  language: z.string().min(1).optional().catch(undefined),
  languages: z
    .array(
      z
        .looseObject({ code: z.string().min(1) })
        .nullable()
        .catch(null),
    )
    .optional()
    .catch(undefined),
  usage: USAGE.optional().catch(undefined),
});

/** Reads `json`, `verbose_json`, `diarized_json` and plain text; undefined when it is none of them. */
export function readAnswer(answer: unknown, asked?: string): Heard | undefined {
  const body = typeof answer === "string" ? { text: answer } : answer;
  const beside = BESIDE.safeParse(body);
  const transcript = beside.success ? transcriptIn(body) : undefined;
  if (!beside.success || !transcript) return undefined;
  const { language: named, languages, usage } = beside.data;
  const found = languages?.find((one) => one !== null)?.code;
  const language = asked ?? (named === undefined ? found : languageCode(named));
  return {
    // parsed from JSON a moment ago
    body: body as Record<string, Json>,
    transcript: language === undefined ? transcript : { ...transcript, language },
    usage: usage && usageOf(usage),
  };
}

const usageOf = (usage: z.output<typeof USAGE>): Paid =>
  usage.type === "tokens"
    ? { unit: "tokens", input: usage.input_tokens, output: usage.output_tokens ?? 0 }
    : { unit: "seconds", input: usage.seconds, output: 0 };
