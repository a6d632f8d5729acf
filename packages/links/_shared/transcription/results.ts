import type { RunFacts } from "@vcon-server/core";
import {
  type Analysis,
  type Json,
  jsonBody,
  toWtf,
  type Vcon,
  WTF_SCHEMA,
  WTF_TYPE,
  withAnalysis,
  withExtension,
} from "@vcon-server/vcon";
import { PARTIAL_TYPE, REJECTED_TYPE, secondsIn, withoutNotes } from "./recordings.ts";
import type { Answer, Transcriber } from "./transcriber.ts";

/** How results are written. */
export interface Writing {
  readonly transcriber: Pick<Transcriber, "vendor" | "model" | "shown">;
  readonly jsonBodies: RunFacts["jsonBodies"];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The vCon with the length of a dialog, where it says none. */
export function withSeconds(vcon: Vcon, index: number, seconds: number | undefined): Vcon {
  const dialog = vcon.dialog ?? [];
  const one = dialog[index];
  // null is what the Python server writes where nobody knows
  if (!one || seconds === undefined || (one.duration ?? undefined) !== undefined) return vcon;
  return { ...vcon, dialog: dialog.with(index, { ...one, duration: seconds }) };
}

/** The vCon with the vendor's own answer and, where wanted, the same transcript in the shape of all vendors. */
export function withTranscript(
  vcon: Vcon,
  { index, answer, normalized }: { readonly index: number; readonly answer: Answer; readonly normalized: boolean },
  writing: Writing,
): Vcon {
  const { transcriber, jsonBodies, now } = writing;
  const { vendor, model, shown } = transcriber;
  const own: Analysis = {
    type: "transcript",
    dialog: index,
    vendor,
    product: model,
    ...jsonBody(answer.body, jsonBodies),
    vendor_schema: { opts: shown },
  };
  const written = withAnalysis(withoutNotes(vcon, index, transcriber), own);
  if (!normalized) return written;
  const duration = secondsIn(vcon.dialog?.[index] ?? { type: "recording" });
  const createdAt = new Date(now).toISOString();
  const facts = { createdAt, provider: vendor, model, ...(duration !== undefined && { duration }) };
  // core-04 section 4.1: every extension in use is named
  return withAnalysis(withExtension(written, WTF_TYPE), {
    type: WTF_TYPE,
    dialog: index,
    vendor,
    product: model,
    schema: WTF_SCHEMA,
    ...jsonBody(toWtf(answer.transcript, facts), jsonBodies),
  });
}

/** The vCon with a note that the transcript was paid for but not good enough; the text itself is not kept. */
export function withRejection(
  vcon: Vcon,
  { index, confidence, minimum }: { readonly index: number; readonly confidence: number; readonly minimum: number },
  writing: Writing,
): Vcon {
  const why = { reason: "confidence", confidence, minimum_confidence: minimum };
  return withNote(vcon, { type: REJECTED_TYPE, index, body: why }, writing);
}

/** The vCon with what has been transcribed so far of a dialog. */
export const withPartial = (vcon: Vcon, index: number, body: Json, writing: Omit<Writing, "now">): Vcon =>
  withNote(vcon, { type: PARTIAL_TYPE, index, body }, writing);

interface Note {
  readonly type: string;
  readonly index: number;
  readonly body: Json;
}

function withNote(vcon: Vcon, { type, index, body }: Note, { transcriber, jsonBodies }: Omit<Writing, "now">): Vcon {
  const { vendor, model } = transcriber;
  const note = { type, dialog: index, vendor, product: model, ...jsonBody(body, jsonBodies) };
  return withAnalysis(withoutNotes(vcon, index, transcriber), note);
}
