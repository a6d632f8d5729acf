import {
  fetchFrom,
  type LinkRun,
  manualClock,
  routed,
  type Service,
  sampleVcon,
  testLink,
} from "@vcon-server/core/testing";
import { fakeTranscription, type TranscriptionFake } from "@vcon-server/core/testing/services/openai-audio";
import type { Dialog, Vcon } from "@vcon-server/vcon";
import { wav } from "../../_shared/transcription/testing/sounds.ts";
import transcribe from "../index.ts";

export const KEY = "sk-canary-1";
export const SOUND = wav({ seconds: 20 });
export const LONG = wav({
  seconds: 32,
  silences: [
    [9, 10],
    [20, 22],
  ],
});

const recording = (dialog: Partial<Dialog> = {}): Dialog => ({
  type: "recording",
  url: "https://media.example/calls/1?sig=canary",
  ...dialog,
});

export const calls = (...dialog: Partial<Dialog>[]): Vcon => sampleVcon({ dialog: dialog.map(recording) });

/** OpenAI and a host of recordings, without any network. */
export function world(fake: TranscriptionFake = { key: KEY }, sound: Uint8Array<ArrayBuffer> = SOUND) {
  const openai = fakeTranscription(fake);
  const host: Service = () => new Response(sound, { headers: { "content-length": String(sound.length) } });
  return { openai, fetch: fetchFrom(routed([/media\.example/, host], [/./, openai.answer])) };
}

export const openAi = (options: object = {}) => ({
  vendor: "openai",
  vendor_options: { OPENAI_API_KEY: KEY, ...options },
});

export async function transcribed(run: LinkRun): Promise<Vcon> {
  const outcome = await testLink(transcribe, { options: openAi(), clock: manualClock(), vcon: calls({}), ...run });
  if (outcome.kind !== "forward") throw new Error("not forwarded");
  return outcome.vcon;
}

/** The fields of the form that was sent, its file as name and size. */
export async function formsOf({ requests }: ReturnType<typeof fakeTranscription>): Promise<Record<string, unknown>[]> {
  const forms = requests.map(async ({ bytes, headers }) => {
    const form = await new Response(new Uint8Array(bytes), { headers }).formData();
    const entries = [...form.keys()].map((name) => {
      const values = form.getAll(name).map((one) => (one instanceof File ? `${one.name} ${one.type}` : one));
      return [name, values.length === 1 ? values[0] : values];
    });
    return Object.fromEntries(entries);
  });
  return Promise.all(forms);
}

export const chunked = (more: object = {}) => openAi({ max_chunk_duration: 10, silence_len: 500, ...more });
