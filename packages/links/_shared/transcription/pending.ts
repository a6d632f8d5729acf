import { secondsOf, VconError } from "@vcon-server/core";
import type { MediaOptions } from "./media-options.ts";
import type { Recording } from "./recordings.ts";

/** Milliseconds by which the clock of a sender may be ahead. */
const SKEW = 600_000;
/** Seconds between two looks: an eighth of the time that has passed since the call, within these bounds. */
const [SHORTEST, LONGEST] = [5, 900];

/** Answers of hosts that have announced a recording they do not have yet. */
const NOT_YET: readonly number[] = [202, 204, 404, 425];

/** S3 answers 403 for what is not there when the signer of the address may not list the bucket. */
const SIGNED_FOR_S3 = /[?&](x-amz-signature|awsaccesskeyid)=/i;

export const isNotThereYet = (status: number, url: string): boolean =>
  NOT_YET.includes(status) || (status === 403 && SIGNED_FOR_S3.test(url));

interface Looked {
  /** The recording, its host, and the answer in words. */
  readonly says: string;
  readonly headers?: Headers;
  readonly options: Pick<MediaOptions, "recording_wait_secs">;
  readonly now: number;
}

/**
 * The failure that has a recording looked for again later; undefined when the call is over for too long, or for an
 * unknown time. It does not count as a try: media hosts take minutes, long conferences hours.
 */
export function waitForRecording({ ends = [] }: Recording, looked: Looked): VconError | undefined {
  const { says, headers, options, now } = looked;
  // times from the future are those of a wrong clock
  const end = ends.find((one) => one <= now + SKEW);
  const age = end === undefined ? Number.POSITIVE_INFINITY : Math.max(0, now - end) / 1_000;
  if (age >= options.recording_wait_secs) return undefined;
  const asked = headers && secondsOf(headers.get("retry-after"), now);
  return new VconError(
    "VCON_MEDIA_PENDING",
    `${says}; the call has just ended: it is looked for again until recording_wait_secs (${options.recording_wait_secs}) are over`,
    { retryAfterSecs: Math.max(SHORTEST, asked ?? Math.min(LONGEST, age / 8)) },
  );
}
