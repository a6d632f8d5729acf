import { type Json, type Transcript, transcriptIn } from "@vcon-server/vcon";
import { z } from "zod";
import type { Answer } from "../transcriber.ts";

/** Members that are null or of another type are as if they were not there. */
const ALTERNATIVE = z.looseObject({ transcript: z.string().nullable() });

const CHANNEL = z.looseObject({
  alternatives: z.array(ALTERNATIVE).min(1),
  detected_language: z.string().min(1).optional().catch(undefined),
});

const LISTENED = z.looseObject({
  metadata: z
    .looseObject({ duration: z.number().min(0).optional().catch(undefined) })
    .optional()
    .catch(undefined),
  results: z.looseObject({ channels: z.array(CHANNEL).min(1) }),
});

type Channel = z.output<typeof CHANNEL>;

/**
 * Deepgram's answer as the Python server keeps it: the first alternative of the first channel with the language. What
 * else was paid for stands beside it: further channels as `other_channels`, utterances, summaries and the like under
 * their names. `undefined` when there is no transcript in it.
 */
export function readListened(value: unknown, language: string | undefined): Answer | undefined {
  const parsed = LISTENED.safeParse(value);
  if (!parsed.success) return undefined;
  const { metadata, results } = parsed.data;
  const { channels, ...more } = results;
  const [first, ...others] = channels.map((channel) => ownWords(channel, language));
  const transcript = transcriptIn(value);
  if (!first || !transcript) return undefined;
  // parsed from JSON a moment ago
  const body = { ...more, ...first, ...(others.length > 0 && { other_channels: others }) } as Json;
  const seconds = metadata?.duration;
  return {
    body,
    transcript: spoken(transcript, language),
    confidence: transcript.confidence,
    usage: seconds === undefined ? undefined : { unit: "seconds", input: seconds, output: 0 },
  };
}

/** The Python server calls the language `en` when nobody says which it is. */
const ownWords = ({ alternatives: [first], detected_language }: Channel, language: string | undefined) => ({
  ...first,
  transcript: first?.transcript ?? "",
  detected_language: detected_language ?? language ?? "en",
});

const spoken = (transcript: Transcript, language: string | undefined): Transcript =>
  language === undefined || transcript.language !== undefined ? transcript : { ...transcript, language };
