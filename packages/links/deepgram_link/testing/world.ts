import { VconError } from "@vcon-server/core";
import {
  fetchFrom,
  type LinkRun,
  manualClock,
  routed,
  type Service,
  sampleVcon,
  testLink,
} from "@vcon-server/core/testing";
import { fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import type { Dialog, Vcon } from "@vcon-server/vcon";
import { expect } from "vitest";
import { wav } from "../../_shared/transcription/testing/sounds.ts";
import deepgramLink from "../index.ts";

export const KEY = "dg-canary-key";
export const SOUND = wav({ seconds: 90 });
export const URL_1 = "https://media.example/calls/1.wav?sig=canary-signature";
export const options = { DEEPGRAM_KEY: KEY, api: { model: "nova-3", smart_format: true, detect_language: true } };

export const recording = (dialog: Partial<Dialog> = {}): Dialog => ({
  type: "recording",
  start: "2026-01-02T03:04:05Z",
  parties: [0, 1],
  mediatype: "audio/wav",
  url: URL_1,
  duration: 90,
  ...dialog,
});

export const calls = (...dialog: Partial<Dialog>[]): Vcon => sampleVcon({ dialog: dialog.map(recording) });

export const media: Service = () => new Response(SOUND, { headers: { "content-length": String(SOUND.length) } });

/** Deepgram and a host of recordings, without any network. */
export function world(deepgram = fakeDeepgram({ key: KEY }), host: Service = media) {
  const fetched: string[] = [];
  const fetch = fetchFrom(
    routed(
      [/deepgram/, deepgram.answer],
      [
        /media\.example/,
        (request) => {
          fetched.push(request.url.href);
          return host(request);
        },
      ],
    ),
  );
  return { deepgram, fetched, fetch };
}

/** Time stands still: nothing runs into its limit by chance. */
export const transcribe = (run: LinkRun) => testLink(deepgramLink, { options, clock: manualClock(), ...run });

export async function transcribed(run: LinkRun): Promise<Vcon> {
  const outcome = await transcribe(run);
  if (outcome.kind !== "forward") throw new Error("not forwarded");
  return outcome.vcon;
}

/** The failure, after looking whether it tells a secret. */
export async function failure(running: Promise<unknown>): Promise<VconError> {
  const error: unknown = await running.then(
    () => "nothing failed",
    (reason: unknown) => reason,
  );
  if (!(error instanceof VconError)) throw error;
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    expect(`${at.message} ${JSON.stringify(at)}`).not.toContain("canary");
  return error;
}

export const typesOf = ({ analysis = [] }: Vcon) => analysis.map(({ type, dialog }) => `${type} ${dialog}`);
export const bodyOf = ({ analysis = [] }: Vcon, at = 0): unknown => JSON.parse(String(analysis[at]?.body));
