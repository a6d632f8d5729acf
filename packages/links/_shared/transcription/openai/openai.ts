import { type OpenAiModule, openAi } from "@vcon-server/services/ai";
import type { Room } from "../room.ts";
import type { Audio, ServiceCall, Transcriber } from "../transcriber.ts";
import { askForTranscript, formFetch } from "./ask.ts";
import { joined, joinedBody, type Piece, usageOf } from "./combine.ts";
import type { Stretch } from "./cuts.ts";
import { isSame, keptIn, toKeep } from "./kept.ts";
import { type OpenAiOptions, shownOptions } from "./options.ts";
import { parametersOf } from "./parameters.ts";
import { eachPiece, playThrough } from "./pieces.ts";

/** Bytes a file may have: a little less than the 25 MB of the whole request. */
const LARGEST_FILE = 25_000_000;

/** Bits per second below which speech is not recorded: a file that is short at this rate is short at any. */
const LOWEST_RATE = 400;

interface OpenAiNeeds {
  readonly openai: OpenAiModule;
  readonly fetch: typeof globalThis.fetch;
  /** Room for ffmpeg: how many recordings are cut at a time. */
  readonly cutting: Room;
}

/** OpenAI, an Azure deployment, a LiteLLM proxy, or whatever else speaks their audio transcription. */
export function openAiTranscriber(options: OpenAiOptions, { cutting, openai, fetch }: OpenAiNeeds): Transcriber {
  const ai = openAi(options, { openai, fetch: formFetch(fetch) });
  const parameters = parametersOf(options);
  const { model } = parameters;

  const ask = async (audio: Audio, { start, end }: Stretch, call: ServiceCall): Promise<Piece> => {
    const doing = `transcribing ${call.what} with ${model}`;
    return { ...(await askForTranscript({ ai, doing, audio, parameters }, call)), stretch: { start, end } };
  };

  /** Pieces that are paid for are kept: one that fails does not cost the others again. */
  function inPieces(audio: Audio, call: ServiceCall): Promise<Piece[]> {
    const kept = keptIn(call.progress.saved, options.language);
    const done: Piece[] = [];
    return eachPiece({ audio, options, call, room: cutting }, async (piece, part) => {
      const before = kept.find(({ stretch }) => isSame(stretch, part));
      const heard = before ?? (await ask(piece, part, call));
      done.push(heard);
      if (!before && !part.isLast) await call.progress.save(toKeep(done));
      return heard;
    });
  }

  return {
    vendor: "openai",
    model,
    work: "OPENAI_TRANSCRIBE",
    shown: shownOptions(options, model),
    async ofAudio(given, call) {
      const fits = given.bytes.length <= LARGEST_FILE;
      const mayBeLong = (given.bytes.length * 8) / LOWEST_RATE > options.max_chunk_duration;
      const cuttable = { audio: given, options, call, room: cutting };
      const seconds = given.seconds ?? (fits && mayBeLong ? await playThrough(cuttable) : undefined);
      const audio = { ...given, seconds };
      if (!fits || (seconds ?? 0) > options.max_chunk_duration) {
        const pieces = await inPieces(audio, call);
        return { body: joinedBody(pieces), transcript: joined(pieces), confidence: undefined, usage: usageOf(pieces) };
      }
      const piece = await ask(audio, { start: 0, end: seconds ?? 0 }, call);
      const transcript = seconds === undefined ? piece.transcript : joined([piece]);
      return { body: piece.body, transcript, confidence: undefined, usage: piece.usage };
    },
  };
}
