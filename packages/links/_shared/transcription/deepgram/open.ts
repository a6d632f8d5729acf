import { openRoom } from "../room.ts";
import type { Transcription } from "../transcribe-dialogs.ts";
import { FULL_OF_AUDIO, FULL_OF_PROGRAMS, PROGRAMS, type VendorNeeds } from "../vendor-needs.ts";
import { listener } from "./listen.ts";
import { type DeepgramOptions, isProxied } from "./options.ts";
import { proxied } from "./proxied.ts";
import { wayFor } from "./way.ts";

/** Everything runs with these options share. Opens no connection. */
export const openDeepgram = (options: DeepgramOptions, needs: VendorNeeds): Transcription => ({
  transcriber: isProxied(options) ? proxied(options, needs) : listener(options, needs.fetch),
  options,
  minimumConfidence: options.minimum_confidence,
  way: (recording) => wayFor(recording, options),
  room: openRoom(options.audio_memory_bytes, FULL_OF_AUDIO),
  probing: openRoom(PROGRAMS, FULL_OF_PROGRAMS),
});
