import {
  type Analysis,
  decodeBody,
  formOf,
  isAbout,
  isTranscript,
  type Party,
  payloadOf,
  transcriptFor,
  transcriptIn,
  transcriptOf,
  type Vcon,
} from "@vcon-server/vcon";

/**
 * What can be read of a vCon: itself, or the vCon inside a signed one. Lists that are none are left out, since nobody
 * has checked what was signed.
 */
export function readable(vcon: Vcon): Vcon {
  const payload = formOf(vcon) === "signed" ? payloadOf(vcon) : undefined;
  const inner: Vcon = payload ? { ...payload, uuid: vcon.uuid } : vcon;
  const { parties, dialog, analysis } = inner;
  return { ...inner, parties: objectsIn(parties), dialog: objectsIn(dialog), analysis: objectsIn(analysis) };
}

/** What a vCon is found by: transcripts, summaries, parties, subject and written messages, in this order. */
export function textOf(vcon: Vcon): string {
  const pieces = [...transcripts(vcon), ...summaries(vcon), ...parties(vcon), ...titles(vcon), ...messages(vcon)];
  return pieces
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "")
    .join(" ");
}

/** Whether anything was said of which there is a transcript. */
export const hasTranscript = (vcon: Vcon): boolean => transcripts(vcon).length > 0;
export const hasSummary = (vcon: Vcon): boolean => summariesOf(vcon).length > 0;

/** The best transcript of each dialog, then those of several dialogs, then one in a member of its own. */
function transcripts(vcon: Vcon): string[] {
  const dialogs = Array.from({ length: Math.max(1, vcon.dialog?.length ?? 0) }, (_, index) => index);
  const ofSeveral = (vcon.analysis ?? []).filter(
    (one) => isTranscript(one) && !dialogs.some((index) => isAbout(one, index, vcon)),
  );
  const found = [
    ...dialogs.map((index) => transcriptFor(vcon, index)),
    ...ofSeveral.map(transcriptOf),
    transcriptIn(vcon["transcript"]),
  ];
  return found.flatMap((transcript) => transcript?.text ?? []);
}

const summariesOf = ({ analysis = [] }: Vcon): readonly Analysis[] => analysis.filter(({ type }) => type === "summary");

const summaries = (vcon: Vcon): string[] =>
  summariesOf(vcon).map((analysis) => {
    const body = decodeBody(analysis);
    if (body?.kind === "text") return body.text;
    const value = body?.kind === "json" ? body.value : undefined;
    return textAt(value, "text") || textAt(value, "summary") || wordsOf(value);
  });

function parties({ parties = [] }: Vcon): string[] {
  return parties.flatMap((party) => {
    const name = [party.name, party["partyId"]].map(wordsOf).find((one) => one !== "");
    const words = [wordsOf(party.role), name ?? ""].filter((word) => word !== "");
    return words.length > 0 ? [`Party: ${words.join(" ")}.`] : [];
  });
}

/** The subject, and what vCons before the first draft kept in `metadata`. */
function titles({ subject, metadata }: Vcon): string[] {
  const said = {
    Subject: wordsOf(subject),
    Title: textAt(metadata, "title"),
    Description: textAt(metadata, "description"),
  };
  return Object.entries(said).flatMap(([label, words]) => (words === "" ? [] : [`${label}: ${words}.`]));
}

const messages = ({ dialog = [] }: Vcon): string[] =>
  dialog
    .filter(({ type }) => type === "text")
    .map((one) => {
      const body = decodeBody(one);
      if (body?.kind === "text") return body.text;
      return body?.kind === "bytes" ? new TextDecoder().decode(body.bytes) : wordsOf(body?.value);
    });

/** Members in which programs keep an id of a party, besides those of the draft. */
const OTHER_IDS = ["partyId", "PartyId", "party_id", "id", "userID", "userId"];

/** Who took part, as the first party that says who it is. */
export function partyIdOf({ parties = [], metadata }: Vcon): string {
  for (const party of parties) {
    const id = idOf(party);
    if (id !== undefined) return id;
  }
  if (parties.length > 0) return "party_index:0";
  return textAt(metadata, "creator") || "no_party_info";
}

function idOf(party: Party): string | undefined {
  const [uuid, tel, mailto, name, role] = [party.uuid, party.tel, party.mailto, party.name, party.role].map(wordsOf);
  if (uuid) return uuid;
  if (tel) return `tel:${tel.replace(/^tel:/i, "")}`;
  if (mailto) return `mailto:${mailto.replace(/^mailto:/i, "")}`;
  if (name || role) return name && role ? `${role}:${name}` : name || role;
  return OTHER_IDS.map((member) => wordsOf(party[member])).find((id) => id !== "");
}

/** Text, also of a number; nothing of anything else. */
export const wordsOf = (value: unknown): string =>
  typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : "";

export const textAt = (value: unknown, member: string): string =>
  typeof value === "object" && value !== null && Object.hasOwn(value, member)
    ? wordsOf(Reflect.get(value, member))
    : "";

const objectsIn = <T extends object>(list: readonly T[] | undefined): readonly T[] =>
  Array.isArray(list) ? list.filter((one) => typeof one === "object" && one !== null && !Array.isArray(one)) : [];
