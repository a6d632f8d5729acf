import { type Dialog, type Party, readDate, type TranscriptSegment, transcriptFor, type Vcon } from "@vcon-server/vcon";
import { readDialogText } from "./dialog-text.ts";

/** What one person says or writes in one go. */
export interface Turn {
  readonly text: string;
  /** Which dialog it comes from. */
  readonly dialog: number;
  /** Which party it comes from, where that is known. */
  readonly party?: number;
  /** The name of that party, or what the transcript calls the speaker. */
  readonly speaker?: string;
  /** Milliseconds since 1970, UTC. */
  readonly time?: number;
  /** Language as the transcript names it. */
  readonly language?: string;
}

/**
 * The words of a conversation in the order they were said: of each dialog the text in it, else its transcript. Turns
 * without a time stay behind the one before them in the document.
 */
export async function readConversation(vcon: Vcon): Promise<readonly Turn[]> {
  const dialogs = (vcon.dialog ?? []).map((dialog, index) => turnsOf(vcon, dialog, index));
  const turns = (await Promise.all(dialogs)).flat();
  let latest = Number.NEGATIVE_INFINITY;
  const timed = turns.map((turn) => {
    latest = turn.time ?? latest;
    return { turn, time: latest };
  });
  return joined(timed.toSorted((one, other) => compare(one.time, other.time)).map(({ turn }) => turn));
}

/** The conversation as text, a paragraph for each turn, with the speaker in front where it is known. */
export const conversationText = (turns: readonly Turn[]): string =>
  turns.map(({ speaker, text }) => (speaker === undefined ? text : `${speaker}: ${text}`)).join("\n\n");

/** Infinities cannot be subtracted. */
const compare = (one: number, other: number): number => (one === other ? 0 : one < other ? -1 : 1);

async function turnsOf(vcon: Vcon, dialog: Dialog, index: number): Promise<Turn[]> {
  const start = typeof dialog.start === "string" ? readDate(dialog.start)?.ms : undefined;
  const text = await readDialogText(dialog);
  const parties = partiesOf(dialog);
  if (text !== undefined) {
    const party = typeof dialog.originator === "number" ? dialog.originator : parties[0];
    return [{ text, dialog: index, ...speakerOf(vcon, party), ...(start !== undefined && { time: start }) }];
  }
  const transcript = transcriptFor(vcon, index);
  const voices = new Set(transcript?.segments.flatMap(({ speaker }) => speaker ?? []));
  // of two voices one at least is not the only party the dialog names
  const only = parties.length === 1 && voices.size <= 1 ? parties[0] : undefined;
  return (transcript?.segments ?? []).flatMap((segment) => {
    if (segment.text.trim() === "") return [];
    const party = partyOf(vcon, dialog, segment.speaker) ?? only;
    return {
      text: segment.text.trim(),
      dialog: index,
      ...(party === undefined ? labelOf(segment) : speakerOf(vcon, party)),
      ...(start !== undefined && { time: start + (segment.start ?? 0) * 1000 }),
      ...(transcript?.language !== undefined && { language: transcript.language }),
    };
  });
}

/** Indices of those who took part, whatever channel they are on. */
function partiesOf({ parties }: Dialog): number[] {
  const entries = typeof parties === "number" ? [parties] : (parties ?? []);
  return [...new Set(entries.flat().filter((party) => typeof party === "number"))];
}

function speakerOf(vcon: Vcon, party: number | undefined): Pick<Turn, "party" | "speaker"> {
  if (party === undefined || vcon.parties?.[party] === undefined) return {};
  const name = nameOf(vcon.parties[party]);
  return name === undefined ? { party } : { party, speaker: name };
}

const nameOf = ({ name }: Party): string | undefined =>
  typeof name === "string" && name.trim() !== "" ? name.trim() : undefined;

const labelOf = ({ speaker }: TranscriptSegment): Pick<Turn, "speaker"> =>
  speaker === undefined ? {} : { speaker: typeof speaker === "number" ? `Speaker ${speaker}` : speaker };

/**
 * The party a transcript means. A number is a channel where the dialog says who is on which; otherwise it only tells
 * voices apart. A word is a name or a role that exactly one party has.
 */
function partyOf(vcon: Vcon, { parties }: Dialog, speaker: number | string | undefined): number | undefined {
  if (typeof speaker === "number") {
    const channels = Array.isArray(parties) && parties.some((entry) => typeof entry !== "number") ? parties : [];
    const channel = [channels[speaker]].flat();
    return channel.length === 1 && typeof channel[0] === "number" ? channel[0] : undefined;
  }
  const wanted = speaker?.trim().toLowerCase();
  const matches = (vcon.parties ?? []).flatMap((party, index) =>
    [party.name, party.role, party.mailto, party.tel].some(
      (member) => typeof member === "string" && member.trim().toLowerCase() === wanted,
    )
      ? index
      : [],
  );
  return matches.length === 1 ? matches[0] : undefined;
}

/** What a recognizer cuts into pieces, as one turn again: neighbours of one dialog and one speaker. */
function joined(turns: readonly Turn[]): Turn[] {
  const result: Turn[] = [];
  for (const turn of turns) {
    const before = result.at(-1);
    const same = before?.dialog === turn.dialog && before.party === turn.party && before.speaker === turn.speaker;
    if (before && same) result[result.length - 1] = { ...before, text: `${before.text} ${turn.text}` };
    else result.push(turn);
  }
  return result;
}
