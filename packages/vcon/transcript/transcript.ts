/** A transcript in one shape, whoever made it. Times are seconds from the beginning of the dialog. */
export interface Transcript {
  readonly text: string;
  /** BCP 47, as far as the vendor says. */
  readonly language?: string;
  /** Seconds of audio. */
  readonly duration?: number;
  /** 0 to 1. */
  readonly confidence?: number;
  /** In the order they were said; at least one when there is text. */
  readonly segments: readonly TranscriptSegment[];
}

/** What one speaker says in one go, or as much of it as the vendor gives at a time. */
export interface TranscriptSegment {
  readonly text: string;
  readonly start?: number;
  readonly end?: number;
  /** As the vendor names them: a number from 0, a channel, or a name. */
  readonly speaker?: number | string;
  readonly confidence?: number;
  readonly words?: readonly TranscriptWord[];
}

export interface TranscriptWord {
  readonly text: string;
  readonly start?: number;
  readonly end?: number;
  readonly speaker?: number | string;
  readonly confidence?: number;
}

/** The object without the members that are undefined, as exact optional members want it. */
export const present = <T extends object>(members: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
