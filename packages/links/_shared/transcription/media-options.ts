import { z } from "zod";

/** Options about recordings and results that every vendor has. */
export const mediaOptions = (minimumDuration: number) =>
  ({
    minimum_duration: z
      .number()
      .min(0)
      .default(minimumDuration)
      .describe("Seconds; shorter recordings are left alone. One whose length nobody knows is transcribed."),
    maximum_duration: z
      .number()
      .positive()
      .default(21_600)
      .describe("Seconds; longer recordings are bad media, so that one file cannot cost a fortune."),
    max_audio_bytes: z
      .int()
      .min(65_536)
      .max(2_000_000_000)
      .default(104_857_600)
      .describe("Bytes a recording may have where the audio goes through this server."),
    audio_memory_bytes: z
      .int()
      .min(65_536)
      .max(8_000_000_000)
      .default(50_331_648)
      .describe(
        "Bytes of recordings that one process has in memory at a time for this link; the rest waits. Sending them takes several times as much. A larger recording is let in alone.",
      ),
    download_timeout_secs: z.number().positive().default(60).describe("Seconds fetching a recording may take."),
    recording_wait_secs: z
      .number()
      .min(0)
      .max(604_800)
      .default(14_400)
      .describe(
        "Seconds after the end of a call in which a recording that is not there yet is waited for; after that it counts as gone.",
      ),
    on_bad_media: z
      .enum(["fail", "skip"])
      .default("fail")
      .describe(
        "What happens when a recording is gone, empty, too large or no audio: the vCon fails, or the dialog is left without a transcript.",
      ),
    normalized: z
      .boolean()
      .default(true)
      .describe("Whether the transcript is also written in the World Transcription Format, the same for all vendors."),
  }) as const;

export type MediaOptions = z.output<z.ZodObject<ReturnType<typeof mediaOptions>>>;
