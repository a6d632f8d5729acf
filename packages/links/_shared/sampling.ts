import { createHash } from "node:crypto";
import { z } from "zod";

/** Option that lets a link work on a share of the vCons. */
export const sampling = {
  sampling_rate: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("Share of the vCons to work on, 0 to 1; the others go on unchanged."),
} as const;

interface Drawn {
  readonly uuid: string;
  /** Name of the step, so that each step draws for itself. */
  readonly link: string;
}

/**
 * Whether a vCon is in the sample: by the hash of its uuid and the step, so that a retry, a replay and another host
 * decide the same. A larger rate keeps all that a smaller one has.
 */
export function isSampled(rate: number, { uuid, link }: Drawn): boolean {
  const digest = createHash("sha256").update(`${link}\n${uuid}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48 < rate;
}
