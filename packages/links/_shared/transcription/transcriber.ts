import type { Clock } from "@vcon-server/core";
import type { Json, Transcript } from "@vcon-server/vcon";
import type { Usage } from "../usage.ts";

/** A recording in memory. */
export interface Audio {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Seconds, measured or as the dialog says; undefined when nobody knows. */
  readonly seconds: number | undefined;
  /** Media type and file extension of what the bytes are; guessed where they do not show it. */
  readonly mediatype: string;
  readonly extension: string;
}

/** What a call of a service needs besides the recording. */
export interface ServiceCall {
  /** The dialog in words, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly progress: Progress;
}

/** What has been paid for of a recording that is transcribed in pieces; survives a failure, here or elsewhere. */
export interface Progress {
  /** What was saved last; undefined at the beginning. */
  readonly saved: Json | undefined;
  save(progress: Json): Promise<void>;
}

/** What an answer cost. */
export type Paid = Pick<Usage, "unit" | "input" | "output">;

/** What a service made of a recording. */
export interface Answer {
  /** Its own words, as the Python server keeps them. */
  readonly body: Json;
  /** The same in the one shape all links read. */
  readonly transcript: Transcript;
  /** 0 to 1, of all channels together; undefined where the service does not say. */
  readonly confidence: number | undefined;
  readonly usage: Paid | undefined;
}

/** A speech service with its options. Every failure is a coded error; nothing is tried again here. */
export interface Transcriber {
  /** As analyses name it. */
  readonly vendor: string;
  readonly model: string;
  /** Name of the work in usage reports. */
  readonly work: string;
  /** Options worth keeping beside the answer; nothing secret. */
  readonly shown: Json;
  /** Has the service fetch the recording itself; absent where it cannot. */
  readonly ofUrl?: (url: string, call: ServiceCall) => Promise<Answer>;
  ofAudio(audio: Audio, call: ServiceCall): Promise<Answer>;
}
