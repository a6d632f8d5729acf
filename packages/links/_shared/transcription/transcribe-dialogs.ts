import { type Clock, forward, type Logger, type Outcome, type RunFacts, VconError } from "@vcon-server/core";
import { formOf, type Json, type Vcon } from "@vcon-server/vcon";
import { reportUsage, type UsageContext } from "../usage.ts";
import { badMedia } from "./bad-media.ts";
import { addressOf, isInline, withAudio } from "./media.ts";
import type { MediaOptions } from "./media-options.ts";
import { waitForRecording } from "./pending.ts";
import { isSettled, partialOf, type Recording, recordingsOf, secondsIn } from "./recordings.ts";
import { type Writing, withPartial, withRejection, withSeconds, withTranscript } from "./results.ts";
import type { Room } from "./room.ts";
import type { Answer, Audio, ServiceCall, Transcriber } from "./transcriber.ts";

/** The vendor, this server, or this server where the vendor could not. */
export type Way = "vendor" | "server" | "vendor_first";

/** What one configured step shares among its runs. */
export interface Transcription {
  readonly transcriber: Transcriber;
  readonly options: MediaOptions & UsageContext["options"] & { readonly ffmpeg_path?: string };
  /** Transcripts the vendor is less sure about are not kept. */
  readonly minimumConfidence: number;
  /** Who fetches a recording that is somewhere else. */
  readonly way: (recording: Recording) => Way;
  readonly room: Room;
  /** How many programs measure recordings at a time. */
  readonly probing: Room;
}

/** The part of a link's context that transcribing takes. */
export interface TranscriptionRun {
  readonly vcon: Vcon;
  readonly run: RunFacts;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly keep: (vcon: Vcon) => Promise<void>;
  readonly state: Transcription;
}

/** Transcribes every recording of a vCon that has no transcript yet. The same vCon when there is nothing to do. */
export async function transcribeDialogs(context: TranscriptionRun): Promise<Outcome> {
  const { state, log, run, keep } = context;
  let { vcon } = context;
  // signed and encrypted ones are kept verbatim
  if (formOf(vcon) !== "unsigned") return forward(vcon);
  let paid = false;
  for (const recording of recordingsOf(vcon)) {
    const why = reasonToSkip(vcon, recording, state);
    if (why !== undefined) {
      log.debug("dialog not transcribed", { uuid: run.uuid, dialog: recording.index, why });
      continue;
    }
    // what the last dialog cost is safe before the next one can fail
    if (paid) await keep(vcon);
    paid = false;
    const heard = await listenTo(recording, { ...context, vcon });
    vcon = withSeconds(vcon, recording.index, heard.seconds);
    if (!heard.answer) continue;
    vcon = written(vcon, recording.index, { answer: heard.answer, context });
    paid = true;
    await report(heard.answer, context);
  }
  return forward(vcon);
}

function reasonToSkip(vcon: Vcon, { dialog, index }: Recording, state: Transcription): string | undefined {
  const { transcriber, minimumConfidence, options } = state;
  const seconds = secondsIn(dialog);
  if (isSettled(vcon, index, { ...transcriber, minimumConfidence })) return "it has been transcribed";
  return seconds !== undefined && seconds < options.minimum_duration ? "it is too short" : undefined;
}

interface HeardDialog {
  readonly seconds: number | undefined;
  /** Absent when the recording turned out to be too short, or unusable where that may be. */
  readonly answer?: Answer;
}

async function listenTo(recording: Recording, context: TranscriptionRun): Promise<HeardDialog> {
  const { state, log, run } = context;
  try {
    return await listen(recording, context);
  } catch (error) {
    const skipped = state.options.on_bad_media === "skip" && isBadMedia(error);
    if (!skipped) throw error;
    log.warn("recording is unusable and left without a transcript", { uuid: run.uuid, dialog: recording.index, error });
    return { seconds: undefined };
  }
}

const isBadMedia = (error: unknown): boolean => error instanceof VconError && error.code === "VCON_MEDIA_UNUSABLE";

async function listen(recording: Recording, context: TranscriptionRun): Promise<HeardDialog> {
  const { state } = context;
  checkLength(recording, secondsIn(recording.dialog), state.options);
  const answer = await askByAddress(recording, context);
  if (answer) return { answer, seconds: answer.transcript.duration };
  return withAudio(recording, { ...context, ...state }, (audio) => listenToAudio(audio, recording, context));
}

/** The answer of a service that fetches the recording itself; undefined where this server has to. */
async function askByAddress(recording: Recording, context: TranscriptionRun): Promise<Answer | undefined> {
  const { transcriber, way } = context.state;
  const chosen = isInline(recording.dialog) ? "server" : way(recording);
  if (!transcriber.ofUrl || chosen === "server") return undefined;
  const { host } = addressOf(recording);
  try {
    return await transcriber.ofUrl(recording.dialog.url ?? "", callFor(recording, context, ` at ${host}`));
  } catch (error) {
    // what the service could not fetch or read, this server can fetch and look at
    if (chosen === "vendor_first" && isBadMedia(error)) return undefined;
    throw unlessPending(error, recording, context);
  }
}

/** The failure itself, or that the recording is not there yet where the service could not fetch a new one. */
function unlessPending(error: unknown, recording: Recording, { state, clock }: TranscriptionRun): unknown {
  if (!(error instanceof VconError) || error.details["isUnreachable"] !== true) return error;
  return waitForRecording(recording, { says: error.message, now: clock.now(), ...state }) ?? error;
}

function callFor({ index }: Recording, context: TranscriptionRun, where = ""): ServiceCall {
  const { vcon, state, run, clock, signal, keep } = context;
  const { transcriber } = state;
  const progress = {
    saved: partialOf(vcon, index, transcriber),
    save: (body: Json) => keep(withPartial(vcon, index, body, { transcriber, jsonBodies: run.jsonBodies })),
  };
  return { what: `dialog ${index}${where}`, clock, signal, progress };
}

async function listenToAudio(audio: Audio, recording: Recording, context: TranscriptionRun): Promise<HeardDialog> {
  const { transcriber, options } = context.state;
  const { seconds } = audio;
  if (seconds !== undefined && secondsIn(recording.dialog) === undefined && seconds < options.minimum_duration)
    return { seconds };
  checkLength(recording, seconds, options);
  const answer = await transcriber.ofAudio(audio, callFor(recording, context));
  return { answer, seconds: seconds ?? answer.transcript.duration };
}

function checkLength({ index }: Recording, seconds: number | undefined, options: MediaOptions): void {
  if (seconds !== undefined && seconds > options.maximum_duration)
    throw badMedia(
      `measuring the recording of dialog ${index}: it lasts ${Math.round(seconds)} s, longer than maximum_duration; raise the option if that is meant`,
    );
}

async function report({ usage }: Answer, context: TranscriptionRun): Promise<void> {
  const { state, run } = context;
  const { work: what, model } = state.transcriber;
  if (usage) await reportUsage({ ...usage, uuid: run.uuid, what, model }, { ...context, options: state.options });
}

interface Result {
  readonly answer: Answer;
  readonly context: TranscriptionRun;
}

/** Characters. Nobody says more in a day; a document with such a text would be too large for every storage. */
const LONGEST_TRANSCRIPT = 2_000_000;

function written(vcon: Vcon, index: number, { answer, context }: Result): Vcon {
  const { length } = answer.transcript.text;
  if (length > LONGEST_TRANSCRIPT)
    throw new VconError(
      "VCON_SERVICE_ANSWER",
      `transcribing dialog ${index}: ${context.state.transcriber.vendor} answers ${length} characters, more than anybody says in a day`,
      { retryable: false },
    );
  const { state, run, clock, log } = context;
  const { transcriber, minimumConfidence: minimum, options } = state;
  const writing: Writing = { transcriber, jsonBodies: run.jsonBodies, now: clock.now() };
  const { confidence } = answer;
  const about = { uuid: run.uuid, dialog: index, vendor: transcriber.vendor, model: transcriber.model, confidence };
  if (confidence !== undefined && confidence < minimum) {
    log.debug("transcript rejected: the vendor is not sure enough", { ...about, minimum });
    return withRejection(vcon, { index, confidence, minimum }, writing);
  }
  log.debug("dialog transcribed", about);
  return withTranscript(vcon, { index, answer, normalized: options.normalized }, writing);
}
