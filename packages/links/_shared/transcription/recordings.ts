import {
  type Analysis,
  type Dialog,
  decodeBody,
  isAbout,
  isTranscript,
  type Json,
  readDate,
  transcriptOf,
  type Vcon,
} from "@vcon-server/vcon";
import { z } from "zod";

/** Type of an analysis that says a transcript was not good enough to keep. */
export const REJECTED_TYPE = "transcript_rejected";

/** Type of an analysis that holds what has been transcribed so far of a recording in pieces. */
export const PARTIAL_TYPE = "transcript_partial";

/** A dialog with a recording, and where it stands in its vCon. */
export interface Recording {
  readonly dialog: Dialog;
  readonly index: number;
  /** When the call was over in milliseconds since 1970, the best source first, as far as the vCon says. */
  readonly ends?: readonly number[];
}

/** The dialogs that have something to listen to, inside or elsewhere. */
export const recordingsOf = ({ dialog, created_at }: Pick<Vcon, "dialog" | "created_at">): readonly Recording[] =>
  (dialog ?? []).flatMap((one, index) =>
    isRecording(one) && hasContent(one) ? [{ dialog: one, index, ends: findEnds(one, created_at) }] : [],
  );

/** The end of the dialog by its start and duration, and the creation of the vCon; unreadable ones are left out. */
const findEnds = (dialog: Dialog, created: unknown): number[] =>
  [dialog.start, created].flatMap((date, at) => {
    const ms = typeof date === "string" ? readDate(date)?.ms : undefined;
    return ms === undefined ? [] : [ms + (at === 0 ? (secondsIn(dialog) ?? 0) * 1_000 : 0)];
  });

const isRecording = (dialog: Dialog): boolean =>
  typeof dialog === "object" &&
  dialog !== null &&
  (dialog.type === "recording" || (typeof dialog.mediatype === "string" && /^audio\//i.test(dialog.mediatype)));

const hasContent = ({ body, url }: Dialog): boolean =>
  (typeof body === "string" && body !== "") || (typeof url === "string" && url !== "");

/** Seconds the dialog says it lasts; undefined for what is no length. */
export const secondsIn = ({ duration }: Dialog): number | undefined =>
  typeof duration === "number" && Number.isFinite(duration) && duration >= 0 ? duration : undefined;

/** Who would transcribe, and what it wants of the result. */
interface Wish {
  readonly vendor: string;
  readonly model: string;
  readonly minimumConfidence: number;
}

/**
 * Whether paying for this dialog would bring nothing new: it has a transcript with text, or this vendor has found
 * nothing in it, or nothing it was sure enough about.
 */
export function isSettled(vcon: Vcon, index: number, wish: Wish): boolean {
  return (vcon.analysis ?? []).some((analysis) => {
    if (typeof analysis !== "object" || analysis === null || !isAbout(analysis, index, vcon)) return false;
    if (isTranscript(analysis)) return analysis.vendor === wish.vendor || hasText(analysis);
    return isRejectedBy(analysis, wish) && (rejectedAt(analysis) ?? 0) < wish.minimumConfidence;
  });
}

const hasText = (analysis: Analysis): boolean => (transcriptOf(analysis)?.text ?? "").trim() !== "";

/** Which notes are a transcriber's own. */
export type Author = Pick<Wish, "vendor" | "model">;

/** Whether an analysis says that this very model was not sure enough. */
const isRejectedBy = (analysis: Analysis, author: Author): boolean =>
  analysis.type === REJECTED_TYPE && isBy(analysis, author);

const isBy = (analysis: Analysis, { vendor, model }: Author): boolean =>
  analysis.vendor === vendor && analysis.product === model;

/** What this very model has transcribed so far of a dialog. */
export function partialOf({ analysis }: Vcon, index: number, author: Author): Json | undefined {
  const partial = analysis?.find((one) => one?.type === PARTIAL_TYPE && one.dialog === index && isBy(one, author));
  const body = partial && decodeBody(partial);
  return body?.kind === "json" ? body.value : undefined;
}

/** The vCon without the notes about a dialog that a result, or newer notes, take the place of. */
export function withoutNotes(vcon: Vcon, index: number, author: Author): Vcon {
  const analysis = vcon.analysis ?? [];
  const isNote = (one: Analysis) => one?.type === REJECTED_TYPE || one?.type === PARTIAL_TYPE;
  const rest = analysis.filter((one) => !(isNote(one) && one.dialog === index && isBy(one, author)));
  return rest.length === analysis.length ? vcon : { ...vcon, analysis: rest };
}

const REJECTION = z.object({ confidence: z.number() });

function rejectedAt(analysis: Analysis): number | undefined {
  const body = decodeBody(analysis);
  return body?.kind === "json" ? REJECTION.safeParse(body.value).data?.confidence : undefined;
}
