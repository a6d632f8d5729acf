import { readVcon, type Vcon } from "@vcon-server/vcon";
import { sampleVcon } from "./samples.ts";

/** Values of every type, indices among them that lead somewhere, nowhere, or are none. */
const VALUES: readonly unknown[] = [
  ...[0, 1, 2, 7, -1, 0.25, 0.75, 1e300, true, false, null, "", "0", "x", "wav", "text/html; charset=", "base64"],
  ...["json", "{", "2026-13-45", "https://", "%", [], {}, [0], [9], [null], [[0, 9]], ["a", 5], { a: [1] }, [{}]],
];
/** Put where the text shall hold a number that no double does. */
const LARGE = "a number that no double holds";

const MEMBERS = {
  top: "updated_at extensions critical amended group x_unknown",
  parties: "name mailto sip stir did validation uuid type org dept role meta civicaddress gmlpos",
  dialog:
    "type originator disposition message_id application mediatype filename encoding content_hash session_id body " +
    "party_history recordings recording_set transferee transferor transfer_target original consultation target_dialog",
  analysis: "type dialog attachment vendor product schema mediatype filename encoding body url content_hash transcript",
  attachments: "purpose type start party dialog mediatype filename encoding body url content_hash",
} as const;

const START = "2026-01-02T03:04:05Z";
/** Elements before anything in them is odd. */
const PLAIN = {
  parties: [{ name: "Ann", role: "customer" }],
  dialog: [
    { type: "text", start: START, parties: [0], body: "hello there", encoding: "none" },
    { type: "recording", start: START, parties: [[0], null], url: "https://media.example/1", mediatype: "audio/x-wav" },
  ],
  analysis: [
    { type: "transcript", dialog: 0, vendor: "v", body: '{"transcript":"hello"}', encoding: "json" },
    { type: "summary", dialog: [0, 1], vendor: "v", body: "They greet.", encoding: "none" },
  ],
  attachments: [{ purpose: "tags", party: 0, dialog: 0, body: ["a:b"], encoding: "json" }],
} as const;

/**
 * A vCon as the profile `tolerant` takes it in: indices that lead nowhere and members that only describe may be anything.
 * Equal random numbers give equal vCons.
 */
export function oddVcon(random: () => number): Vcon {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const odd = (names: string): Record<string, unknown> => {
    const chosen = names.split(" ").filter(() => random() < 0.25);
    return Object.fromEntries(chosen.map((name) => [name, random() < 0.05 ? LARGE : pick(VALUES)]));
  };
  const list = (kind: keyof typeof PLAIN) =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
      ...pick<object>(PLAIN[kind]),
      ...odd(MEMBERS[kind]),
    }));
  const { uuid, created_at } = sampleVcon();
  const lists = { parties: list("parties"), dialog: list("dialog"), analysis: list("analysis") };
  const document = { uuid, created_at, ...odd(MEMBERS.top), ...lists, attachments: list("attachments") };
  const read = readVcon(JSON.stringify(document).replaceAll(JSON.stringify(LARGE), "12345678901234567890"));
  if (!read.ok) throw new Error(`it is not taken in: ${read.errors.map(({ pointer, code }) => `${pointer} ${code}`)}`);
  return read.vcon;
}
