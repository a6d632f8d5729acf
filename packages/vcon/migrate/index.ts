import type { Finding } from "../finding.ts";
import { isAbsent, isObject, type JsonObject, own, without } from "../shape.ts";
import { type Kind, listsMapped, upgrade } from "../upgrade.ts";
import { withCurrentContent } from "./content.ts";
import { withDates } from "./dates.ts";
import { type Step, stepList } from "./steps.ts";
import { withSingleTransfers } from "./transfers.ts";

/** A document brought into the shape of the current draft, and each step that changed a value. */
export interface Migrated {
  readonly vcon: JsonObject;
  readonly steps: readonly Finding[];
}

/**
 * Repairs what older producers wrote, beyond the names of members: dates, hashes, encodings, types of dialogs, lists
 * in transfers, members without content. Nothing that is unknown is dropped; what cannot be repaired is left.
 */
export function migrate(vcon: JsonObject): Migrated {
  const { add: step, findings: steps } = stepList();
  const named = withDates(upgrade(vcon), ["created_at", "updated_at"], { at: "", step });
  const lists = listsMapped(named, (element, kind, index) =>
    migrateElement(element, kind, { at: `/${kind}/${index}`, step }),
  );
  const dialogs = own(lists, "dialog");
  const single = Array.isArray(dialogs) ? withSingleTransfers(dialogs, step) : dialogs;
  const whole = single === dialogs ? lists : { ...lists, dialog: single };
  return { vcon: withoutEmpty(withExtension(whole, step), step), steps };
}

interface Place {
  readonly at: string;
  readonly step: Step;
}

function migrateElement(element: JsonObject, kind: Kind, place: Place): JsonObject {
  if (kind === "parties") return migrateParty(element, place);
  const content = withCurrentContent(withDates(element, kind === "analysis" ? [] : ["start"], place), place);
  return kind === "dialog" ? migrateDialog(content, place) : content;
}

function migrateParty(party: JsonObject, { at, step }: Place): JsonObject {
  if (typeof party.email !== "string" || !isAbsent(party.mailto)) return party;
  step("mailto", `${at}/mailto`, "was called email");
  return { ...without(party, "email"), mailto: party.email };
}

function migrateDialog(dialog: JsonObject, { at, step }: Place): JsonObject {
  let result = dialog;
  if (dialog.type === "video" || dialog.type === "audio") {
    step("dialog-type", `${at}/type`, `recording; the media type says that it is ${dialog.type}`);
    result = { ...result, type: "recording" };
  }
  if (typeof dialog.session_id === "string") {
    step("session-id", `${at}/session_id`, "is not the id of both ends and was kept as legacy_session_id");
    result = { ...without(result, "session_id"), legacy_session_id: dialog.session_id };
  }
  if (!Array.isArray(dialog.party_history)) return result;
  const history = dialog.party_history.map((event: unknown, index) =>
    isObject(event) ? withDates(event, ["time"], { at: `${at}/party_history/${index}`, step }) : event,
  );
  return { ...result, party_history: history };
}

/** `role` belongs to the extension CC, which is named when a party has one. */
function withExtension(vcon: JsonObject, step: Step): JsonObject {
  const parties = own(vcon, "parties");
  const extensions = own(vcon, "extensions") ?? [];
  const used =
    Array.isArray(parties) && parties.some((party: unknown) => isObject(party) && Object.hasOwn(party, "role"));
  if (!used || !Array.isArray(extensions) || extensions.includes("CC")) return vcon;
  step("extension", "/extensions", "CC was added, since a party has a role");
  return { ...vcon, extensions: [...extensions, "CC"] };
}

/** Members of older drafts that say nothing. */
function withoutEmpty(vcon: JsonObject, step: Step): JsonObject {
  return ["redacted", "amended", "group"].reduce((result, name) => {
    if (!Object.hasOwn(result, name) || !isAbsent(result[name])) return result;
    step("empty", `/${name}`, "meant nothing and was left out");
    return without(result, name);
  }, vcon);
}
