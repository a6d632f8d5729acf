import {
  type Analysis,
  decodeAnalysis,
  isAbout,
  isTranscript,
  type Json,
  transcriptFor,
  type Vcon,
} from "@vcon-server/vcon";
import { z } from "zod";
import { conversationText, readConversation, type Turn } from "./conversation.ts";
import { readDialogText } from "./dialog-text.ts";

/** Options of links that work on the text of each dialog. */
export const sourceOptions = {
  source: z
    .strictObject({
      analysis_type: z.string().min(1).default("transcript").describe("Type of the analysis that holds the text."),
      text_location: z
        .string()
        .regex(/^body(\.[^.]+)*$/, "must be a dotted path that begins with body, such as body.paragraphs.transcript")
        .optional()
        .describe(
          "Dotted path to the text in that analysis; unless given all it says, of a transcript with the speakers.",
        ),
    })
    .default({ analysis_type: "transcript" })
    .describe("Where the text of a dialog is."),
  text_dialogs: z
    .enum(["together", "each", "leave_out"])
    .default("together")
    .describe(
      "How chats and mails, which have no transcript, are read: all `together` as one conversation, `each` on its own, or not.",
    ),
} as const;

export type SourceOptions = z.output<z.ZodObject<typeof sourceOptions>>;

/** What is analysed in one go. */
export interface Subject {
  /** Indices of the dialogs; at least one. */
  readonly dialogs: readonly number[];
  /** `undefined` when there is none. To be read once. */
  text(): Promise<string | undefined>;
}

/**
 * Every dialog, with those that are written as one where the options say so. A transcript is read whoever made it: where
 * `text_location` leads nowhere in it, it fits another vendor, and what the transcript says counts.
 */
export async function listSubjects(vcon: Vcon, { source, text_dialogs }: SourceOptions): Promise<readonly Subject[]> {
  const all = [...(vcon.dialog ?? []).keys()];
  const located = (index: number) => locatedText(vcon, source, index);
  if (!isSpoken(source)) return all.map((index) => ({ dialogs: [index], text: async () => located(index) }));
  let turns: readonly Turn[] | undefined;
  const said = async (dialogs: readonly number[]): Promise<string | undefined> => {
    const wanted = new Set(dialogs);
    const { mine = [], others = [] } = Object.groupBy(turns ?? (await readConversation(vcon)), ({ dialog }) =>
      wanted.has(dialog) ? "mine" : "others",
    );
    // what has been read is not held while somebody waits for the answer about it
    turns = others;
    return nonEmpty(conversationText(mine));
  };
  const written = await listWritten(vcon);
  const transcript = (index: number) => nonEmpty(transcriptFor(vcon, index)?.text);
  const plain = (index: number) =>
    text_dialogs === "leave_out" && written.has(index) ? transcript(index) : said([index]);
  const single = all.map((index) => ({ dialogs: [index], text: async () => located(index) ?? plain(index) }));
  if (text_dialogs !== "together" || written.size < 2) return single;
  const dialogs = [...written];
  const together = { dialogs, text: () => said(dialogs) };
  return single.flatMap((subject, index) => (index === dialogs[0] ? together : written.has(index) ? [] : subject));
}

/** Indices of the dialogs that have words in their own body. */
async function listWritten({ dialog = [] }: Vcon): Promise<ReadonlySet<number>> {
  const texts = await Promise.all(dialog.map((one) => one && readDialogText(one)));
  return new Set(texts.flatMap((text, index) => (text === undefined ? [] : index)));
}

const isSpoken = ({ analysis_type }: SourceOptions["source"]): boolean => isTranscript({ type: analysis_type });

/** The first text that an analysis of this type and dialog has at the location. */
function locatedText(vcon: Vcon, source: SourceOptions["source"], index: number): string | undefined {
  const spoken = isSpoken(source);
  if (spoken && source.text_location === undefined) return undefined;
  const [, ...path] = (source.text_location ?? "body").split(".");
  for (const analysis of vcon.analysis ?? []) {
    if (analysis?.type !== source.analysis_type || !isAbout(analysis, index, vcon)) continue;
    const value = valueAt(bodyOf(analysis), path);
    // an object where a transcript's text should be is the answer of another vendor
    const text = typeof value === "string" || value === undefined || spoken ? value : JSON.stringify(value);
    if (typeof text === "string" && nonEmpty(text) !== undefined) return text;
  }
  return undefined;
}

function bodyOf(analysis: Analysis): Json | undefined {
  const body = decodeAnalysis(analysis);
  if (body?.kind === "bytes") return new TextDecoder().decode(body.bytes);
  return body?.kind === "text" ? body.text : body?.value;
}

function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((at, name) => {
    const inner: unknown =
      typeof at === "object" && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
    return inner as Json | undefined;
  }, value);
}

const nonEmpty = (text: string | undefined): string | undefined => (text?.trim() ? text : undefined);
