import type { TestNetwork } from "@vcon-server/core/config";
import { faulty, fetchFrom, type Service, type ServiceRequest } from "@vcon-server/core/testing/services";
import { sampleAudio } from "@vcon-server/core/testing/services/audio";
import { fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import { fakeTranscription } from "@vcon-server/core/testing/services/openai-audio";
import type { IdleClock } from "./idle-clock.ts";

/** The network of one test: what its entries say, and services that answer well for everything else. */
export interface StubbedNetwork {
  readonly fetch: typeof globalThis.fetch;
  /** `METHOD address` of every request, without the query. */
  readonly requests: readonly string[];
}

export interface Stubbing {
  readonly entries: readonly TestNetwork[];
  readonly clock: IdleClock;
  /** Content of a file beside the configuration. */
  readonly read: (file: string) => Promise<Uint8Array>;
}

export function stubbedNetwork({ entries, clock, read }: Stubbing): StubbedNetwork {
  const requests: string[] = [];
  const left = new Map(entries.map((entry) => [entry, entry.times ?? Number.POSITIVE_INFINITY]));
  const answer: Service = async (request) => {
    requests.push(`${request.method} ${addressOf(request)}`);
    const entry = entries.find((one) => (left.get(one) ?? 0) > 0 && fits(one, request));
    if (entry) left.set(entry, (left.get(entry) ?? 0) - 1);
    if (entry?.fault === "hang") return faulty("hang");
    const done = clock.busy();
    try {
      return await (entry ? answerOf(entry, request, read) : wellFor(request));
    } finally {
      done();
    }
  };
  return { fetch: fetchFrom(answer), requests };
}

const addressOf = ({ url }: ServiceRequest): string => `${url.origin}${url.pathname}`;

/** Whether the text fits a pattern in which `*` stands for any text. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}

const fits = ({ to, method }: TestNetwork, request: ServiceRequest): boolean =>
  matches(to, addressOf(request)) && (method === undefined || method === null || method === request.method);

async function answerOf(entry: TestNetwork, request: ServiceRequest, read: Stubbing["read"]): Promise<Response> {
  const { status, headers, body, file, content, transcript, fault } = entry;
  if (fault) return faulty(fault);
  if (transcript !== undefined && transcript !== null) return wellFor(request, { transcript });
  if (content !== undefined && content !== null) {
    const said = typeof content === "string" ? content : JSON.stringify(content);
    return wellFor(request, { content: said });
  }
  const bytes = file ? await read(file) : undefined;
  const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  if (bytes) return new Response(Buffer.from(bytes), { status: status ?? 200, headers: { ...headers } });
  return faulty({ status: status ?? 200, headers: { ...headers }, ...(text !== undefined && { body: text }) });
}

interface Script {
  readonly content?: string;
  readonly transcript?: string;
}

/** What a service of this kind answers when all is well. */
function wellFor(request: ServiceRequest, { content, transcript }: Script = {}): Response | Promise<Response> {
  const { method, url } = request;
  if (/\/v1\/listen$/.test(url.pathname)) return fakeDeepgram(given({ transcript })).answer(request);
  if (/\/audio\/(transcriptions|translations)$/.test(url.pathname))
    return fakeTranscription(given({ transcript })).answer(request);
  if (/\/(chat\/completions|embeddings|models)$/.test(url.pathname))
    return fakeOpenAi(content === undefined ? {} : { chat: () => content }).answer(request);
  if (method === "GET" || method === "HEAD")
    return new Response(method === "GET" ? sampleAudio() : null, { headers: { "content-type": "audio/wav" } });
  return new Response(null, { status: 204 });
}

const given = ({ transcript }: { readonly transcript: string | undefined }): { readonly transcript?: string } =>
  transcript === undefined ? {} : { transcript };
