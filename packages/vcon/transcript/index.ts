import { type DecodedBody, decodeBody } from "../body.ts";
import type { Analysis, Vcon } from "../document.ts";
import { jsonText } from "../json.ts";
import { isObject, own } from "../shape.ts";
import { fromAlternative, fromDeepgramAnswer, fromKeptChannels, isDeepgramAnswer } from "./deepgram.ts";
import { objectsIn } from "./members.ts";
import type { Transcript } from "./transcript.ts";
import { fromText, fromTurns } from "./turns.ts";
import { fromWhisper } from "./whisper.ts";
import { fromWtf, isWtf, WTF_TYPE } from "./wtf.ts";

/** Types of analyses that hold transcripts. */
const TYPES: readonly string[] = [WTF_TYPE, "transcript"];

/** Whether an analysis says that it is a transcript. */
export const isTranscript = ({ type }: Pick<Analysis, "type">): boolean => TYPES.includes(type);

/**
 * The transcript in an analysis: WTF, Deepgram (an answer or one alternative of it), Whisper and everything
 * OpenAI-compatible, lists of turns, or plain text. `undefined` when the body is none of these.
 */
export function transcriptOf(analysis: Analysis): Transcript | undefined {
  const decoded = decodeAnalysis(analysis);
  if (decoded?.kind === "text") return fromText(decoded.text);
  // before 0.0.1 the text stood in a member of its own
  const value = decoded?.kind === "json" ? decoded.value : own(analysis, "transcript");
  return transcriptIn(value);
}

/**
 * Reads the body of an analysis. JSON text whose analysis does not say that it is JSON is read as the JSON it is: the
 * Python server wrote transcripts without `encoding` for years.
 */
export function decodeAnalysis(analysis: Analysis): DecodedBody | undefined {
  const decoded = decodeBody(analysis);
  if (decoded?.kind !== "text" || !/^\s*[[{]/.test(decoded.text)) return decoded;
  const value = jsonText(decoded.text);
  return typeof value === "object" && value !== null ? { kind: "json", value } : decoded;
}

/** The same of a vendor's answer that is in no analysis yet. */
export function transcriptIn(value: unknown): Transcript | undefined {
  if (typeof value === "string") return fromText(value);
  if (Array.isArray(value)) return fromTurns(objectsIn(value) ?? []);
  if (!isObject(value)) return undefined;
  if (isDeepgramAnswer(value)) return fromDeepgramAnswer(value);
  if (isWtf(value)) return fromWtf(value);
  if (Array.isArray(own(value, "other_channels"))) return fromKeptChannels(value);
  return fromAlternative(value) ?? fromWhisper(value);
}

/**
 * The best transcript of a dialog: the normalised one before a vendor's own, the first with any text in it. An analysis
 * that names no dialog is of the only one.
 */
export function transcriptFor(vcon: Vcon, dialog: number): Transcript | undefined {
  const candidates = (vcon.analysis ?? []).filter(
    (one) => isObject(one) && isTranscript(one) && isAbout(one, dialog, vcon),
  );
  const sorted = candidates.toSorted((one, other) => TYPES.indexOf(one.type) - TYPES.indexOf(other.type));
  for (const analysis of sorted) {
    const transcript = transcriptOf(analysis);
    if (transcript && transcript.text.trim() !== "") return transcript;
  }
  return undefined;
}

/** Whether an analysis was made from this dialog and no other. */
export function isAbout({ dialog }: Pick<Analysis, "dialog">, index: number, vcon: Pick<Vcon, "dialog">): boolean {
  if (dialog === undefined || dialog === null) return index === 0 && (vcon.dialog ?? []).length <= 1;
  return Array.isArray(dialog) ? dialog.length === 1 && dialog[0] === index : dialog === index;
}
